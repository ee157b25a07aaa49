// What the jobs that match have in common, as conditions to add with one click.
import type { ReactNode } from 'react';

import { Foreign } from '../../components/foreign';
import { PanelBody } from '../../components/panel';
import { QueryButton } from '../../components/query-button';
import { HealthTag, StatusTag } from '../../components/status-tag';
import { useQuery } from '../../data/use-query';
import {
  type HealthVerdict,
  type JobDimension,
  JobsGroupFacetDocument,
  JobsStatusFacetDocument,
} from '../../generated/graphql';
import type { ValueKey } from '../../language/make';
import { countText, number, t } from '../../text/text';
import type { Search } from './use-search';

interface Props {
  search: Search;
  /** Do not ask yet. */
  pause: boolean;
}

const VERDICTS: readonly HealthVerdict[] = ['STUCK', 'LATE', 'FLAPPING', 'SLOW'];

export function Facets(props: Props) {
  return (
    <details className="facets" open={window.matchMedia('(min-width: 1001px)').matches}>
      <summary>{t('jobs.facets')}</summary>
      <StatusFacet {...props} />
      <Facet title={t('jobs.facet.health')}>
        {VERDICTS.map((verdict) => (
          <Choice key={verdict} search={props.search} word="health" value={verdict}>
            <HealthTag verdict={verdict} />
          </Choice>
        ))}
      </Facet>
      <GroupFacet {...props} by="TYPE" word="type" title={t('jobs.facet.type')} />
      <GroupFacet {...props} by="QUEUE" word="queue" title={t('jobs.facet.queue')} />
      <GroupFacet {...props} by="LAST_ERROR_CODE" word="error" title={t('jobs.facet.error')} />
    </details>
  );
}

function StatusFacet({ search, pause }: Props) {
  const state = useQuery(JobsStatusFacetDocument, { filter: search.without('status') }, { pause });
  return (
    <Facet title={t('jobs.facet.status')} end={<QueryButton title={t('jobs.facet.status')} asked={state.asked} />}>
      <PanelBody state={state} lines={3}>
        {(data) =>
          data.statusCounts.map(({ status, count }) => (
            <Choice key={status} search={search} word="status" value={status} count={countText(count)}>
              <StatusTag status={status} />
            </Choice>
          ))
        }
      </PanelBody>
    </Facet>
  );
}

interface GroupProps extends Props {
  by: JobDimension;
  word: 'type' | 'queue' | 'error';
  title: string;
}

const KEYS = { type: 'type', queue: 'queue', error: 'lastErrorCode' } as const;

function GroupFacet({ search, pause, by, word, title }: GroupProps) {
  const variables = { filter: search.without(word), by: [by] };
  const state = useQuery(JobsGroupFacetDocument, variables, { pause });
  return (
    <Facet title={title} end={<QueryButton title={title} asked={state.asked} />}>
      <PanelBody state={state} lines={2}>
        {(data) =>
          data.jobGroups.map(({ key, count }) => {
            const value = key[KEYS[word]];
            return value === null || value === undefined ? null : (
              <Choice key={value} search={search} word={word} value={value} count={number(count)}>
                <Foreign text={value} />
              </Choice>
            );
          })
        }
      </PanelBody>
    </Facet>
  );
}

function Facet({ title, end, children }: { title: string; end?: ReactNode; children: ReactNode }) {
  return (
    <section className="facet">
      <header>
        <h2>{title}</h2>
        {end}
      </header>
      {children}
    </section>
  );
}

interface ChoiceProps {
  search: Search;
  word: ValueKey;
  value: string;
  count?: string;
  children: ReactNode;
}

function Choice({ search, word, value, count, children }: ChoiceProps) {
  return (
    <label className="facet-choice">
      <input
        type="checkbox"
        checked={search.has(word, value)}
        onChange={() => search.toggle(word, value)}
      />
      <span className="facet-name">{children}</span>
      {count !== undefined && <span className="muted">{count}</span>}
    </label>
  );
}
