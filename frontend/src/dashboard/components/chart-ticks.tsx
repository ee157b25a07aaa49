// The times below a chart: as many as there is room for.
import { tick } from './labels';

const TICK_WIDTH = 84;

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
  return (
    <g className="ticks" aria-hidden="true">
      {edges.slice(0, -1).map((edge, index) =>
        index % every === 0 && step > 0 ? (
          <text key={edge} x={left + index * step} y={y}>
            {tick(edge, size * every)}
          </text>
        ) : null,
      )}
    </g>
  );
}
