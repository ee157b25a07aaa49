// The job's parent, its children and its batch.
import { Link } from 'wouter';

import { Foreign } from '../../components/foreign';
import { Panel } from '../../components/panel';
import { StatusTag } from '../../components/status-tag';
import { useQuery } from '../../data/use-query';
import { JobChildrenDocument, type JobChildrenQuery, type JobHeadFragment } from '../../generated/graphql';
import { searchOf, valueTerm } from '../../language/make';
import { batchPath, jobPath, jobsPath } from '../../paths';
import { counted, countText, percent, t } from '../../text/text';
import { Fact } from './facts';

export function Family({ job, version }: { job: JobHeadFragment; version: number }) {
  const { parent, batch, children } = job;
  const hasChildren = children.count.value > 0;
  if (!parent && !batch && !hasChildren) return null;
  return (
    <>
      {(parent || batch) && (
        <section className="panel" aria-labelledby="job-family">
          <header className="panel-head">
            <h2 id="job-family">{t('job.family')}</h2>
          </header>
          <dl className="facts">
            {parent && (
              <Fact name={t('job.parent')}>
                <Link href={jobPath(parent.id)}>
                  <Foreign text={parent.type} className="clamp" />
                </Link>{' '}
                <StatusTag status={parent.status} />
              </Fact>
            )}
            {batch && (
              <Fact name={t('job.batch')}>
                <Link href={batchPath(batch.name)}>
                  <Foreign text={batch.name} className="clamp" />
                </Link>{' '}
                <progress max={1} value={batch.fraction} aria-label={t('job.batchFraction')} />{' '}
                {percent(batch.fraction)}
              </Fact>
            )}
          </dl>
        </section>
      )}
      {hasChildren && <Children id={job.id} version={version} count={countText(children.count)} />}
    </>
  );
}

function Children({ id, version, count }: { id: string; version: number; count: string }) {
  const state = useQuery(JobChildrenDocument, { id }, { renewed: version });
  return (
    <Panel title={t('job.children', { count })} state={state}>
      {(data) => (
        <>
          <Counts counts={data.statusCounts} parent={id} />
          <table>
            <tbody>
              {data.job?.children.nodes.map((child) => (
                <tr key={child.id}>
                  <th scope="row" className="cell-text">
                    <Link href={jobPath(child.id)}>
                      <bdi>{child.type}</bdi>
                    </Link>
                  </th>
                  <td>
                    <StatusTag status={child.status} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          <p>
            <Link href={jobsPath(searchOf(valueTerm('parent', id)))}>{t('job.allChildren')}</Link>
          </p>
        </>
      )}
    </Panel>
  );
}

function Counts({ counts, parent }: { counts: JobChildrenQuery['statusCounts']; parent: string }) {
  return (
    <ul className="child-counts">
      {counts
        .filter(({ count }) => count.value > 0)
        .map(({ status, count }) => (
          <li key={status}>
            <Link href={jobsPath(searchOf(valueTerm('parent', parent), valueTerm('status', status)))}>
              <StatusTag status={status} />
              <span className="hidden">{counted('count.jobs', count.value, countText(count))}</span>
              <span aria-hidden="true">{countText(count)}</span>
            </Link>
          </li>
        ))}
    </ul>
  );
}
