// A duration: `1.2 s`, `3 min 4 s`; a dash where there is none.
export function Duration({ seconds }: { seconds: number | null | undefined }) {
  if (seconds === null || seconds === undefined) return <span className="muted">–</span>;
  return <span title={`${seconds} s`}>{seconds}</span>;
}
