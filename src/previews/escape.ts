const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A text as HTML that shows it, within an element or an attribute in quotes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, each => ENTITIES[each] ?? '')
}
