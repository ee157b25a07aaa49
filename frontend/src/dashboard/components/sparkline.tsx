// A trend in the space of a word: bars, the last of which is not over yet.
interface Props {
  values: readonly number[];
  /** What it shows, in words. */
  label: string;
  width?: number;
  height?: number;
}

export function Sparkline({ values, label, width = 96, height = 20 }: Props) {
  const most = Math.max(1, ...values);
  const step = width / Math.max(1, values.length);
  return (
    <svg className="sparkline" width={width} height={height} role="img" aria-label={label}>
      {values.map((value, index) => {
        const tall = value === 0 ? 1 : Math.max(2, (value / most) * height);
        return (
          <rect
            key={index}
            className={value === 0 ? 'sparkline-none' : undefined}
            x={index * step}
            y={height - tall}
            width={Math.max(1, step - 1)}
            height={tall}
          />
        );
      })}
    </svg>
  );
}
