/** The text of a path in a JSON value, as JSONPath writes it (RFC 9535). */

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Write a path: `$.items[0]['odd name']`. */
export function jsonPath(path: readonly (string | number)[]): string {
  return `$${path.map(segmentText).join('')}`;
}

function segmentText(segment: string | number): string {
  if (typeof segment === 'number') return `[${segment}]`;
  return NAME.test(segment) ? `.${segment}` : `['${quotedName(segment)}']`;
}

function quotedName(name: string): string {
  const escaped = JSON.stringify(name).slice(1, -1);
  return escaped.replaceAll('\\"', '"').replaceAll("'", "\\'");
}
