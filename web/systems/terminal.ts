import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'

export interface OpenTerminal {
  readonly columns: number
  readonly rows: number
  write(text: string): void
  focus(): void
  close(): void
}

interface Hooks {
  typed(text: string): void
  resized(columns: number, rows: number): void
  /** Shift and Escape: a keyboard has to get out of it again. */
  left(): void
}

/** A terminal that fills the element, for as long as it is not closed. */
export function openTerminal(box: HTMLElement, hooks: Hooks): OpenTerminal {
  const sheets: CSSStyleSheet[] = []
  const terminal = new Terminal({
    screenReaderMode: true,
    cursorBlink: false,
    fontFamily: '"DejaVu Sans Mono", Menlo, Consolas, monospace',
    fontSize: 13,
    scrollback: 5_000,
    theme: { background: '#020617', foreground: '#e2e8f0', cursor: '#e2e8f0' },
  })
  const fit = new FitAddon()
  terminal.loadAddon(fit)
  withSheets(sheets, () => terminal.open(box))
  terminal.attachCustomKeyEventHandler(event => {
    const leaves = event.key === 'Escape' && event.shiftKey
    if (leaves && event.type === 'keydown') {
      hooks.left()
    }
    return !leaves
  })
  terminal.onData(hooks.typed)
  terminal.onResize(({ cols, rows }) => hooks.resized(cols, rows))
  const watcher = new ResizeObserver(() => fit.fit())
  watcher.observe(box)
  fit.fit()
  return {
    get columns() {
      return terminal.cols
    },
    get rows() {
      return terminal.rows
    },
    write: text => terminal.write(text),
    focus: () => terminal.focus(),
    close() {
      watcher.disconnect()
      terminal.dispose()
      document.adoptedStyleSheets = document.adoptedStyleSheets.filter(sheet => !sheets.includes(sheet))
    },
  }
}

/** What is done makes no style elements: the policy of the page refuses them, and takes style sheets instead. */
function withSheets(sheets: CSSStyleSheet[], work: () => void): void {
  const make = document.createElement.bind(document)
  document.createElement = (name: string, options?: ElementCreationOptions) =>
    name === 'style' ? sheetElement(sheets, make) : make(name, options)
  try {
    work()
  } finally {
    // What was there before is of its prototype.
    Reflect.deleteProperty(document, 'createElement')
  }
}

/** Stands where a style element would stand. */
function sheetElement(sheets: CSSStyleSheet[], make: (name: string) => HTMLElement): HTMLElement {
  const sheet = new CSSStyleSheet()
  sheets.push(sheet)
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]
  return Object.defineProperty(make('template'), 'textContent', {
    set: (text: string) => sheet.replaceSync(text),
  })
}
