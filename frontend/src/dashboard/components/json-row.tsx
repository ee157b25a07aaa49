// One row of a JSON tree.
import { Link } from 'wouter';

import { isContainer, type Row } from '../json/tree';
import { lineText, nameText } from '../json/show';
import { t } from '../text/text';
import { isRedacted } from './acts/payload-text';
import { Icon } from './icon';

export const ROW_HEIGHT = 24;
const INDENT = 16;

interface Props {
  id: string;
  row: Row;
  top: number;
  isActive: boolean;
  isFound: boolean;
  /** The jobs that have this value. */
  href: string | undefined;
  onClick: () => void;
}

export function JsonRow({ id, row, top, isActive, isFound, href, onClick }: Props) {
  const canOpen = isContainer(row.value) && row.size > 0;
  const isHidden = typeof row.value === 'string' && isRedacted(row.value);
  return (
    <div
      id={id}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-expanded={canOpen ? row.isOpen : undefined}
      aria-selected={isActive}
      data-active={isActive}
      className={isFound ? 'json-row json-found' : 'json-row'}
      style={{ transform: `translateY(${top}px)`, paddingInlineStart: 4 + row.depth * INDENT }}
      onClick={onClick}
    >
      <span className="json-mark">{canOpen && <Icon name={row.isOpen ? 'down' : 'right'} size={12} />}</span>
      {row.key !== null && (
        <>
          <bdi className={typeof row.key === 'number' ? 'json-index' : 'json-key'}>{nameText(row.key)}</bdi>
          <span className="json-colon">: </span>
        </>
      )}
      {isHidden ? (
        <span className="json-redacted" title={t('json.redactedHint')}>
          <bdi>{String(row.value).slice(0, 300)}</bdi>
        </span>
      ) : (
        <bdi className={`json-${row.kind}`}>{lineText(row.value)}</bdi>
      )}
      {href !== undefined && !isHidden && (
        <Link
          href={href}
          className="json-link"
          tabIndex={-1}
          title={t('json.jobsWith')}
          aria-label={t('json.jobsWith')}
          onClick={(event) => event.stopPropagation()}
        >
          <Icon name="search" size={13} />
        </Link>
      )}
    </div>
  );
}
