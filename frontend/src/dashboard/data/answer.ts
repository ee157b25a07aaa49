// Answers are parsed as usual: what JSON values hold is kept exact by `json/`.
export function parseAnswer(text: string): unknown {
  return JSON.parse(text);
}
