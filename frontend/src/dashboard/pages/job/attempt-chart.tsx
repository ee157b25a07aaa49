// The waits and runs of the job on one time line, a line for each attempt.
import { useWidth } from '../../components/use-width';
import { timeStyle } from '../../components/time';
import { language, number, t } from '../../text/text';
import { formatDuration } from '../../time/durations';
import { formatBriefly } from '../../time/format';
import { type Course, layOut, type Segment } from './attempt-layout';

const ROW = 20;
const BAR = 12;
const LEFT = 28;
const RIGHT = 8;
const AXIS = 20;
const CHARACTER = 6.2;

export function AttemptChart({ course, now }: { course: Course; now: number }) {
  const [box, width] = useWidth<HTMLDivElement>();
  const segments = layOut(course, now);
  const numbers = [...new Set(segments.map(({ attempt }) => attempt))];
  const height = numbers.length * ROW + AXIS;
  const inner = Math.max(0, width - LEFT - RIGHT);
  const x = (share: number) => LEFT + share * inner;
  if (segments.length === 0) return null;
  return (
    <figure className="attempts">
      <figcaption>
        <ul className="legend">
          {kindsOf(segments).map((kind) => (
            <li key={kind}>
              <span className={`swatch attempt-${kind}`} />
              {t(`job.segment.${kind}`)}
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={box}>
        <svg width={width} height={height} role="img" aria-label={summary(segments)}>
          {segments.map((segment) => (
            <Bar
              key={`${segment.attempt}${segment.kind}`}
              {...{ segment, x }}
              y={numbers.indexOf(segment.attempt) * ROW}
            />
          ))}
          {numbers.map((each, row) => (
            <text key={each} className="attempt-number" x={LEFT - 8} y={row * ROW + 13} textAnchor="end">
              {number(each)}
            </text>
          ))}
          <Axis {...{ segments, x, now }} y={numbers.length * ROW} />
        </svg>
      </div>
    </figure>
  );
}

interface BarProps {
  segment: Segment;
  x: (share: number) => number;
  y: number;
}

function Bar({ segment, x, y }: BarProps) {
  const { kind, left, right, isCut, isOpen, from, until } = segment;
  const start = x(left);
  const size = Math.max(kind === 'run' ? 3 : 0.5, x(right) - start);
  const words = formatDuration((until - from) / 1_000, language);
  const label = `${isCut ? '≈ ' : ''}${words}`;
  const fits = label.length * CHARACTER + 8 < size;
  const name = `attempt-${kind}${outcomeClass(segment)}${isOpen ? ' attempt-open' : ''}`;
  return (
    <g>
      <title>{`${t(`job.segment.${kind}`)}: ${words}`}</title>
      <rect className={name} x={start} y={y + 3} width={size} height={BAR} rx={kind === 'run' ? 2 : 0} />
      {isCut && <Cut at={start + size / 2 + (fits ? label.length * CHARACTER * 0.5 + 12 : 0)} y={y} />}
      {fits && (
        <text className={`attempt-words attempt-words-${kind}`} x={start + size / 2} y={y + 13} textAnchor="middle">
          {label}
        </text>
      )}
    </g>
  );
}

/** Two strokes where a part of a long wait is left out. */
function Cut({ at, y }: { at: number; y: number }) {
  return <path className="attempt-cut" d={`M${at - 3} ${y + 17}l4 -16m3 0l-4 16`} />;
}

interface AxisProps {
  segments: readonly Segment[];
  x: (share: number) => number;
  y: number;
  now: number;
}

/** The times of the start and the end, and where they fit those of the runs in between. */
function Axis({ segments, x, y, now }: AxisProps) {
  const marks: { at: number; text: string; anchor: 'start' | 'end' }[] = [];
  const last = segments.at(-1);
  const endText = last ? (last.isOpen ? t('job.now') : formatBriefly(last.until, now, timeStyle)) : '';
  const endsAt = x(1) - endText.length * CHARACTER - 12;
  let free = 0;
  for (const { kind, left, from } of segments) {
    const text = formatBriefly(from, now, timeStyle);
    const at = x(left);
    if ((kind !== 'run' && left > 0) || at < free || at + text.length * CHARACTER > endsAt) continue;
    marks.push({ at, text, anchor: 'start' });
    free = at + text.length * CHARACTER + 12;
  }
  marks.push({ at: x(1), text: endText, anchor: 'end' });
  return (
    <g className="ticks" aria-hidden="true">
      <line className="attempt-axis" x1={x(0)} x2={x(1)} y1={y + 2.5} y2={y + 2.5} />
      {marks.map(({ at, text, anchor }) => (
        <g key={`${at}${anchor}`}>
          <line className="attempt-axis" x1={at} x2={at} y1={y + 2} y2={y + 6} />
          <text x={at} y={y + 17} textAnchor={anchor}>
            {text}
          </text>
        </g>
      ))}
    </g>
  );
}

function outcomeClass({ kind, outcome }: Segment): string {
  if (kind !== 'run') return '';
  return ` attempt-${(outcome ?? 'RUNNING').toLowerCase()}`;
}

function kindsOf(segments: readonly Segment[]) {
  return (['delay', 'queue', 'backoff', 'run'] as const).filter((kind) =>
    segments.some((segment) => segment.kind === kind),
  );
}

function summary(segments: readonly Segment[]): string {
  const parts = segments.map(({ kind, attempt, from, until }) => {
    const words = formatDuration((until - from) / 1_000, language);
    return `${number(attempt)} ${t(`job.segment.${kind}`)} ${words}`;
  });
  return `${t('job.attempts')}: ${parts.slice(0, 20).join(', ')}`;
}
