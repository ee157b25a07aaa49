// The times below a chart: as many as there is room for.
import { tick } from './labels';

const TICK_WIDTH = 84;
const CHARACTER_WIDTH = 6.5;

interface Props {
  /** The starts of the intervals and the end of the last one, in milliseconds since the epoch. */
  edges: readonly number[];
  /** Where the first interval begins, how wide each is, and where the texts stand, in pixels. */
  left: number;
  step: number;
  y: number;
}

export function ChartTicks({ edges, left, step, y }: Props) {
  const every = Math.max(1, Math.ceil(TICK_WIDTH / Math.max(step, 0.01)));
  const size = (edges[1] ?? 0) - (edges[0] ?? 0);
  const last = edges.length - 1;
  return (
    <g className="ticks" aria-hidden="true">
      {edges.slice(0, -1).map((edge, index) => {
        if (index % every !== 0 || step <= 0) return null;
        const text = tick(edge, size * every);
        // Texts stand at the beginning of their interval: one without room would be cut off at the end of the chart.
        if (text.length * CHARACTER_WIDTH > (last - index) * step) return null;
        return (
          <text key={edge} x={left + index * step} y={y}>
            {text}
          </text>
        );
      })}
    </g>
  );
}
