/** Where the waits and runs of a job are on its time line: to scale, but for long waits, which are cut. */

export interface Run {
  number: number;
  startedAt: string;
  finishedAt?: string | null | undefined;
  outcome?: string | null | undefined;
}

export interface Course {
  createdAt: string;
  /** When it was last queued. */
  queuedAt: string;
  scheduledAt?: string | null | undefined;
  status: string;
  attempts: readonly Run[];
}

/** `delay`: not due yet; `queue`: due; `backoff`: between two runs. */
export type SegmentKind = 'delay' | 'queue' | 'backoff' | 'run';

export interface Segment {
  kind: SegmentKind;
  /** The number of the attempt that it leads to or is. */
  attempt: number;
  outcome: string | null;
  /** In milliseconds since the epoch. */
  from: number;
  until: number;
  /** Its place on the line, from 0 to 1. */
  left: number;
  right: number;
  isCut: boolean;
  /** Whether it is not over. */
  isOpen: boolean;
}

type Piece = Omit<Segment, 'left' | 'right' | 'isCut'>;

/** A wait is drawn at most so many times as long as the longest run. */
const LONGEST_WAIT = 3;

/** The waits and runs in their order, each beginning where the one before ends. */
export function layOut(course: Course, now: number): Segment[] {
  const pieces = piecesOf(course, now);
  const runs = pieces.filter(({ kind }) => kind === 'run').map(lengthOf);
  const most = runs.length === 0 ? Number.POSITIVE_INFINITY : LONGEST_WAIT * Math.max(1, ...runs);
  const shown = pieces.map((piece) => (piece.kind === 'run' ? lengthOf(piece) : Math.min(most, lengthOf(piece))));
  const whole = shown.reduce((sum, each) => sum + each, 0) || 1;
  let at = 0;
  return pieces.map((piece, index) => {
    const left = at / whole;
    at += shown[index] ?? 0;
    return { ...piece, left, right: at / whole, isCut: (shown[index] ?? 0) < lengthOf(piece) };
  });
}

const lengthOf = ({ from, until }: Piece): number => until - from;

function piecesOf({ createdAt, queuedAt, scheduledAt, status, attempts }: Course, now: number): Piece[] {
  const pieces: Piece[] = [];
  const due = Math.max(Date.parse(queuedAt), scheduledAt ? Date.parse(scheduledAt) : 0);
  const first = attempts[0];
  // Of many attempts only the last ones are known.
  let at = first && first.number > 1 ? Date.parse(first.startedAt) : Date.parse(createdAt);
  const add = (piece: Omit<Piece, 'from' | 'until'>, until: number) => {
    // Clocks of several machines may differ.
    const end = Math.max(at, until);
    if (end > at || piece.kind === 'run') pieces.push({ ...piece, from: at, until: end });
    at = end;
  };
  const last = (attempts.at(-1)?.number ?? 0) + (status === 'QUEUED' ? 1 : 0);
  const wait = (attempt: number, until: number, isOpen: boolean) => {
    const given = { attempt, outcome: null, isOpen };
    // `queuedAt` and `scheduledAt` are of the last wait; of the others it is not known when they were due.
    if (attempt === last) add({ ...given, kind: attempt > 1 ? 'backoff' : 'delay' }, Math.min(due, until));
    add({ ...given, kind: attempt > 1 && attempt < last ? 'backoff' : 'queue' }, until);
  };
  for (const { number, startedAt, finishedAt, outcome } of attempts) {
    wait(number, Date.parse(startedAt), false);
    const run = { kind: 'run', attempt: number, outcome: outcome ?? null, isOpen: !finishedAt } as const;
    add(run, finishedAt ? Date.parse(finishedAt) : now);
  }
  if (status === 'QUEUED') wait(last, now, true);
  return pieces;
}
