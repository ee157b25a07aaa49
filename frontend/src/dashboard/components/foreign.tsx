// Text of other people: its direction of writing is its own, and it may be of any length.

/** What is put on the page at most; the rest is in the title and on the page of its own. */
const SHOWN = 300;

export function Foreign({ text }: { text: string }) {
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  return (
    <bdi title={text.length > 40 ? text.slice(0, 2_000) : undefined}>{shown}</bdi>
  );
}
