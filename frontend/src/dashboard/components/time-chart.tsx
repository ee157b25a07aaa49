// What happened over time: bars, one over the other, with a table of the same figures.
import { type PointerEvent, type ReactNode, useState } from 'react';

import { compactNumber, number, t } from '../text/text';
import { span } from './labels';
import { ChartTable } from './chart-table';
import { ChartTicks } from './chart-ticks';
import { Icon } from './icon';
import { useWidth } from './use-width';

export interface Series {
  /** What the style is chosen by: `series-<name>`. */
  name: string;
  label: string;
  values: readonly number[];
}

interface Props {
  /** The starts of the buckets and the end of the last one, in milliseconds since the epoch. */
  edges: readonly number[];
  series: readonly Series[];
  label: string;
  height?: number;
  /** Called with a range of time that was dragged over, or a bucket that was chosen. */
  onSelect?: (from: number, until: number) => void;
}

const LEFT = 36;
const BOTTOM = 18;
const TOP = 10;

export function TimeChart({ edges, series, label, height = 140, onSelect }: Props) {
  const [isTable, setTable] = useState(false);
  return (
    <figure className="chart">
      <figcaption>
        <Legend series={series} />
        <button type="button" className="quiet small" onClick={() => setTable(!isTable)}>
          <Icon name={isTable ? 'chart' : 'table'} />
          {t(isTable ? 'panel.showChart' : 'panel.showTable')}
        </button>
      </figcaption>
      {isTable ? (
        <ChartTable
          edges={edges}
          columns={series}
          label={label}
          shown={(value) => number(value ?? 0)}
        />
      ) : (
        <Bars edges={edges} series={series} label={label} height={height} onSelect={onSelect} />
      )}
    </figure>
  );
}

function Legend({ series }: { series: readonly Series[] }) {
  return (
    <ul className="legend">
      {series.map(({ name, label, values }) => (
        <li key={name}>
          <span className={`swatch series-${name}`} />
          {label} <b>{compactNumber(values.reduce((sum, value) => sum + value, 0))}</b>
        </li>
      ))}
    </ul>
  );
}

interface BarsProps extends Omit<Props, 'height' | 'onSelect'> {
  height: number;
  onSelect: Props['onSelect'] | undefined;
}

function Bars({ edges, series, label, height, onSelect }: BarsProps) {
  const [box, width] = useWidth<HTMLDivElement>();
  const [over, setOver] = useState<number | null>(null);
  const [from, setFrom] = useState<number | null>(null);
  const count = edges.length - 1;
  const inner = Math.max(0, width - LEFT);
  const step = count > 0 ? inner / count : 0;
  const tall = height - BOTTOM;
  const most = roundUp(Math.max(1, ...totals(series, count)));

  const at = (event: PointerEvent) => {
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left - LEFT;
    return Math.min(count - 1, Math.max(0, Math.floor(x / step)));
  };
  const release = (event: PointerEvent) => {
    if (from === null || !onSelect) return;
    const [first, last] = [Math.min(from, at(event)), Math.max(from, at(event))];
    setFrom(null);
    onSelect(edges[first] ?? 0, edges[last + 1] ?? 0);
  };

  return (
    <div
      ref={box}
      className={onSelect ? 'bars bars-select' : 'bars'}
      onPointerMove={(event) => setOver(at(event))}
      onPointerLeave={() => (setOver(null), setFrom(null))}
      onPointerDown={onSelect && ((event) => setFrom(at(event)))}
      onPointerUp={release}
    >
      <svg width={width} height={height} role="img" aria-label={summary(label, series)}>
        <Grid most={most} width={width} tall={tall} />
        {from !== null && over !== null && (
          <rect
            className="brush"
            x={LEFT + Math.min(from, over) * step}
            width={(Math.abs(over - from) + 1) * step}
            y={0}
            height={tall}
          />
        )}
        {Array.from({ length: count }, (_, index) => (
          <Bar key={index} {...{ index, series, step, tall, most, isOver: index === over }} />
        ))}
        <ChartTicks left={LEFT} edges={edges} step={step} y={height - 4} />
      </svg>
      {over !== null && <Tip at={LEFT + (over + 0.5) * step} {...{ width, over, edges, series }} />}
    </div>
  );
}

interface BarProps {
  index: number;
  series: readonly Series[];
  step: number;
  tall: number;
  most: number;
  isOver: boolean;
}

function Bar({ index, series, step, tall, most, isOver }: BarProps) {
  let below = 0;
  const gap = step > 4 ? 1 : 0;
  return (
    <g className={isOver ? 'bar-over' : undefined}>
      {series.map(({ name, values }) => {
        const value = values[index] ?? 0;
        if (value === 0) return null;
        const size = Math.max(1, (value / most) * (tall - TOP));
        below += size;
        return (
          <rect
            key={name}
            className={`series-${name}`}
            x={LEFT + index * step}
            y={tall - below}
            width={Math.max(0.5, step - gap)}
            height={size}
          />
        );
      })}
    </g>
  );
}

function Grid({ most, width, tall }: { most: number; width: number; tall: number }) {
  return (
    <g className="grid" aria-hidden="true">
      {[0, 0.5, 1].map((part) => {
        const y = Math.round(tall - part * (tall - TOP)) + 0.5;
        return (
          <g key={part}>
            <line x1={LEFT} x2={width} y1={y} y2={y} />
            {part > 0 && (
              <text x={LEFT - 6} y={y + 4} textAnchor="end">
                {compactNumber(most * part)}
              </text>
            )}
          </g>
        );
      })}
    </g>
  );
}

interface TipProps {
  at: number;
  width: number;
  over: number;
  edges: readonly number[];
  series: readonly Series[];
}

function Tip({ at, width, over, edges, series }: TipProps): ReactNode {
  const side = at > width / 2 ? { right: width - at + 8 } : { left: at + 8 };
  return (
    <div className="tip" style={side} aria-hidden="true">
      <b>{span(edges[over] ?? 0, edges[over + 1] ?? 0)}</b>
      {series.map(({ name, label, values }) => (
        <span key={name}>
          <span className={`swatch series-${name}`} /> {label} <b>{number(values[over] ?? 0)}</b>
        </span>
      ))}
    </div>
  );
}

function totals(series: readonly Series[], count: number): number[] {
  return Array.from({ length: count }, (_, index) =>
    series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0),
  );
}

/** The next number whose half is a round one, too: 2, 4, 10, 20, 40, 100 … */
export function roundUp(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  const factor = [1, 2, 4, 10].find((each) => each * power >= most) ?? 10;
  return Math.max(2, factor * power);
}

function summary(label: string, series: readonly Series[]): string {
  const parts = series.map(
    ({ label: name, values }) => `${name} ${number(values.reduce((sum, each) => sum + each, 0))}`,
  );
  return `${label}: ${parts.join(', ')}`;
}
