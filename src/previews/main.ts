import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { FairleadError } from '#lib/errors.ts'
import { type Rendered, renderNotebook } from './render-notebook.ts'

/**
 * Renders the notebook on standard input, in a process of its own: what takes too long or too much memory is ended, and
 * nothing waits for it. Gives JSON, compressed, in base64.
 */
const rendered = render(await text(process.stdin))
process.stdout.write(gzipSync(JSON.stringify(rendered)).toString('base64'))

function render(notebook: string): Rendered & { readonly problem?: string } {
  try {
    return renderNotebook(notebook)
  } catch (error) {
    if (error instanceof FairleadError) {
      return { html: '', problem: error.message }
    }
    throw error
  }
}
