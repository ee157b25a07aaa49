import type { KeyboardEvent } from 'react';
export function useSuggestions(_text: string, _caret: number, _onChoose: (text: string, caret: number) => void) {
  return { isOpen: false, activeId: undefined as string | undefined, open: () => undefined, close: () => undefined, onKeyDown: (_: KeyboardEvent) => undefined };
}
export function Suggestions(_: { id: string; suggestions: unknown }) { return null; }
