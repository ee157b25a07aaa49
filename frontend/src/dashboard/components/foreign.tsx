// Text that other people chose: it may be of any length and in any direction of writing.
export function Foreign({ text, className }: { text: string; className?: string }) {
  return (
    <bdi className={className} title={text.length > 40 ? text.slice(0, 1_000) : undefined}>
      {text}
    </bdi>
  );
}
