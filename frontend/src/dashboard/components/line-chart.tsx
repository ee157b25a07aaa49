// How values went over time: lines, on a log axis if they span decades, with a table of the same figures.
import { type PointerEvent, useState } from 'react';

import { t } from '../text/text';
import { ChartTable } from './chart-table';
import { ChartTicks } from './chart-ticks';
import { Icon } from './icon';
import { span } from './labels';
import { linearScale, logScale, type Scale, segments } from './scales';
import { useWidth } from './use-width';

export interface Line {
  /** What the style is chosen by: `line-<name>`. */
  name: string;
  label: string;
  values: readonly (number | null)[];
}

interface Props {
  /** The starts of the buckets and the end of the last one, in milliseconds since the epoch. */
  edges: readonly number[];
  lines: readonly Line[];
  label: string;
  format: (value: number) => string;
  isLog?: boolean;
  /** The largest value that there can be. */
  limit?: number;
  /** Whether the last bucket is not over yet. */
  isLastPartial?: boolean;
  height?: number;
}

const LEFT = 48;
const BOTTOM = 18;
const TOP = 8;

export function LineChart(props: Props) {
  const [isTable, setTable] = useState(false);
  return (
    <figure className="chart">
      <figcaption>
        <ul className="legend">
          {props.lines.map(({ name, label }) => (
            <li key={name}>
              <span className={`swatch swatch-${name}`} />
              {label}
            </li>
          ))}
          {props.isLog && <li>{t('chart.log')}</li>}
        </ul>
        <button type="button" className="quiet small" onClick={() => setTable(!isTable)}>
          <Icon name={isTable ? 'chart' : 'table'} />
          {t(isTable ? 'panel.showChart' : 'panel.showTable')}
        </button>
      </figcaption>
      {isTable ? (
        <ChartTable
          edges={props.edges}
          columns={props.lines}
          label={props.label}
          shown={(value) => shown(value, props.format)}
        />
      ) : (
        <Lines {...props} />
      )}
    </figure>
  );
}

function Lines({ edges, lines, label, format, isLog, limit, isLastPartial, height = 180 }: Props) {
  const [box, width] = useWidth<HTMLDivElement>();
  const [over, setOver] = useState<number | null>(null);
  const count = edges.length - 1;
  const step = count > 0 ? Math.max(0, width - LEFT) / count : 0;
  const tall = height - BOTTOM;
  const known = lines.flatMap(({ values }) => values.filter((value) => value !== null));
  const scale = isLog ? logScale(known) : linearScale(known, limit);
  const frame: Frame = { scale, step, tall };
  const move = (event: PointerEvent) => {
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left - LEFT;
    setOver(Math.min(count - 1, Math.max(0, Math.floor(x / step))));
  };
  return (
    <div ref={box} className="bars" onPointerMove={move} onPointerLeave={() => setOver(null)}>
      <svg width={width} height={height} role="img" aria-label={summary(label, lines, format)}>
        <Grid frame={frame} width={width} format={format} />
        {isLastPartial && (
          <rect className="partial" x={LEFT + (count - 1) * step} width={step} y={TOP} height={tall - TOP} />
        )}
        {over !== null && (
          <line className="cursor" x1={xOf(over, step)} x2={xOf(over, step)} y1={TOP} y2={tall} />
        )}
        {lines.map((line) => (
          <Path key={line.name} line={line} frame={frame} />
        ))}
        <ChartTicks left={LEFT} edges={edges} step={step} y={height - 4} />
      </svg>
      {over !== null && <Tip {...{ over, width, edges, lines, format }} at={xOf(over, step)} />}
    </div>
  );
}

interface Frame {
  scale: Scale;
  step: number;
  tall: number;
}

const xOf = (index: number, step: number): number => LEFT + (index + 0.5) * step;
const yOf = (value: number, { scale, tall }: Frame): number => tall - scale.at(value) * (tall - TOP);

function Path({ line: { name, values }, frame }: { line: Line; frame: Frame }) {
  return (
    <g className={`line-${name}`}>
      {segments(values).map((indices) => {
        const points = indices.map((index) => [xOf(index, frame.step), yOf(values[index] ?? 0, frame)] as const);
        const [first] = points;
        if (points.length === 1 && first) {
          return <circle key={indices[0]} cx={first[0]} cy={first[1]} r="2.5" />;
        }
        return <polyline key={indices[0]} points={points.map((point) => point.join(',')).join(' ')} />;
      })}
    </g>
  );
}

interface GridProps {
  frame: Frame;
  width: number;
  format: Props['format'];
}

function Grid({ frame, width, format }: GridProps) {
  return (
    <g className="grid" aria-hidden="true">
      {frame.scale.marks.map((mark) => {
        const y = Math.round(yOf(mark, frame)) + 0.5;
        return (
          <g key={mark}>
            <line x1={LEFT} x2={width} y1={y} y2={y} />
            <text x={LEFT - 6} y={y + 4} textAnchor="end">
              {format(mark)}
            </text>
          </g>
        );
      })}
    </g>
  );
}

interface TipProps extends Pick<Props, 'edges' | 'lines' | 'format'> {
  at: number;
  over: number;
  width: number;
}

function Tip({ at, over, width, edges, lines, format }: TipProps) {
  const side = at > width / 2 ? { right: width - at + 8 } : { left: at + 8 };
  return (
    <div className="tip" style={side} aria-hidden="true">
      <b>{span(edges[over] ?? 0, edges[over + 1] ?? 0)}</b>
      {lines.map(({ name, label, values }) => (
        <span key={name}>
          <span className={`swatch swatch-${name}`} /> {label} <b>{shown(values[over], format)}</b>
        </span>
      ))}
    </div>
  );
}

function shown(value: number | null | undefined, format: Props['format']): string {
  return value === null || value === undefined ? '–' : format(value);
}

function summary(label: string, lines: readonly Line[], format: Props['format']): string {
  const parts = lines.flatMap(({ label: name, values }) => {
    const known = values.filter((value) => value !== null);
    if (known.length === 0) return [];
    return [`${name} ${format(Math.min(...known))} – ${format(Math.max(...known))}`];
  });
  return `${label}: ${parts.length === 0 ? t('panel.empty') : parts.join(', ')}`;
}
