// A number with a bar as long as its share of the largest one.
export function CellBar({ value, most, text }: { value: number; most: number; text: string }) {
  const share = most > 0 ? Math.min(1, value / most) : 0;
  return (
    <>
      {text}
      <svg className="cell-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect width="100" height="6" />
        <rect className="cell-bar-part" width={value > 0 ? Math.max(3, share * 100) : 0} height="6" />
      </svg>
    </>
  );
}
