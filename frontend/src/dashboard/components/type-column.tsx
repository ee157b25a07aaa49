// The first column of a table of types.
import { Link } from 'wouter';

import { typePath } from '../paths';
import { t } from '../text/text';
import type { Column } from './data-table';
import { Foreign } from './foreign';

export function typeColumn<G extends { key: { type: string | null } }>(): Column<G> {
  return {
    key: 'type',
    heading: t('column.type'),
    isHeading: true,
    isText: true,
    cell: ({ key }) => (
      <Link href={typePath(key.type ?? '')}>
        <Foreign text={key.type ?? ''} />
      </Link>
    ),
  };
}
