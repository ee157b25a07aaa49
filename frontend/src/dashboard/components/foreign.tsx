// Text that other people wrote: in its own direction, so that it does not reorder what is around it.
export function Foreign({ text }: { text: string }) {
  return <bdi>{text}</bdi>;
}
