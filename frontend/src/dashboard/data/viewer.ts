// Who uses the page, and what the roles allow. Asked once for as long as the page is open.
import { useEffect, useState } from 'react';

import { type Role, ViewerDocument, type ViewerQuery } from '../generated/graphql';
import { send } from './client';

export interface Viewer {
  subject: string;
  roles: readonly Role[];
  /** The one role that includes the others. */
  role: Role;
  /** Cancel, retry, rerun and reschedule jobs. */
  mayAct: boolean;
  /** Delete jobs, and read redacted values. */
  isAdmin: boolean;
}

const RISING: readonly Role[] = ['VIEWER', 'WRITER', 'OPERATOR', 'ADMIN'];

let asked: Promise<Viewer> | undefined;
let known: Viewer | undefined;

/** The viewer; undefined until the answer is there. */
export function useViewer(): Viewer | undefined {
  const [viewer, setViewer] = useState(known);
  useEffect(() => {
    let isOver = false;
    ask().then(
      (answer) => {
        if (!isOver) setViewer(answer);
      },
      // Without an answer nothing may be done; the next component that needs it asks again.
      () => (asked = undefined),
    );
    return () => {
      isOver = true;
    };
  }, []);
  return viewer;
}

function ask(): Promise<Viewer> {
  asked ??= send(ViewerDocument, {}).then(({ viewer }) => (known = viewerOf(viewer)));
  return asked;
}

function viewerOf({ subject, roles }: ViewerQuery['viewer']): Viewer {
  const role = RISING.findLast((each) => roles.includes(each)) ?? 'VIEWER';
  const mayAct = role === 'OPERATOR' || role === 'ADMIN';
  return { subject, roles, role, mayAct, isAdmin: role === 'ADMIN' };
}
