// The table of groups of errors, with the trend of each.
import { Link } from 'wouter';

import type { ErrorGroupRowFragment as Group } from '../generated/graphql';
import { errorPath, typePath } from '../paths';
import { counted, countText, t } from '../text/text';
import { type Column, DataTable } from './data-table';
import { Foreign } from './foreign';
import { Sparkline } from './sparkline';
import { Time } from './time';

/** So many types are named; the others are counted. */
const NAMED = 2;

export function ErrorsTable({ groups, since }: { groups: readonly Group[]; since: string }) {
  return (
    <DataTable
      label={t('errors.title')}
      columns={columns(Date.parse(since))}
      rows={groups}
      rowKey={({ id }) => id}
    />
  );
}

function columns(since: number): readonly Column<Group>[] {
  return [
    {
      key: 'message',
      heading: t('column.message'),
      isHeading: true,
      isText: true,
      cell: (group) => <Message group={group} isNew={Date.parse(group.firstSeenAt) >= since} />,
    },
    { key: 'types', heading: t('column.type'), isMinor: true, cell: ({ types }) => <Types types={types} /> },
    {
      key: 'trend',
      heading: t('column.trend'),
      isMinor: true,
      cell: ({ trend }) => (
        <Sparkline values={trend} label={t('errors.trend', { values: trend.join(', ') })} />
      ),
    },
    {
      key: 'count',
      heading: t('column.count'),
      isNumber: true,
      cell: ({ count }) => countText(count),
    },
    {
      key: 'first',
      heading: t('column.firstSeen'),
      isMinor: true,
      cell: ({ firstSeenAt }) => <Time time={firstSeenAt} />,
    },
    { key: 'last', heading: t('column.lastSeen'), cell: ({ lastSeenAt }) => <Time time={lastSeenAt} /> },
  ];
}

function Message({ group, isNew }: { group: Group; isNew: boolean }) {
  return (
    <>
      <span className="cell-line">
        {isNew && (
          <span className="badge" title={t('errors.newHint')}>
            {t('errors.new')}
          </span>
        )}
        <Link href={errorPath(group.id)}>
          <Foreign text={group.message || group.code || t('errors.unnamed')} />
        </Link>
      </span>
      {group.code !== null && (
        <span className="muted">
          <Foreign text={group.code} />
        </span>
      )}
    </>
  );
}

function Types({ types }: { types: readonly string[] }) {
  const rest = types.length - NAMED;
  return (
    <span className="short-text" title={types.join(', ')}>
      {types.slice(0, NAMED).map((type, index) => (
        <span key={type}>
          {index > 0 && ', '}
          <Link href={typePath(type)}>
            <Foreign text={type} />
          </Link>
        </span>
      ))}
      {rest > 0 && <span className="muted"> +{counted('count.types', rest)}</span>}
    </span>
  );
}
