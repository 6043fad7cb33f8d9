import { isMapping } from './config-texts.ts'
import type { Diagnostic } from './diagnostic.ts'
import type { Language } from './packs.ts'
import type { ProjectFolder } from './project-folder.ts'

/** As many notebooks as are asked, and how large they may be for it. */
const MAX_NOTEBOOKS = 20
const MAX_CHARACTERS = 10_000_000

/** Up to so many notebooks tell in which language a project is that says nothing else. */
export function notebooksAsked(paths: readonly string[]): string[] {
  return paths
    .filter(path => path.endsWith('.ipynb') && !path.includes('.ipynb_checkpoints/'))
    .sort()
    .slice(0, MAX_NOTEBOOKS)
}

/** The language that most notebooks name in their metadata; Python where none does. */
export function kernelLanguage(folder: ProjectFolder): {
  readonly language: Language
  readonly warnings: readonly Diagnostic[]
} {
  const found = notebooksAsked(folder.paths).flatMap(path => languageOf(folder.text(path)) ?? [])
  const counts = { python: 0, r: 0, julia: 0 }
  for (const language of found) {
    counts[language] += 1
  }
  const used = (['python', 'r', 'julia'] as const).filter(language => counts[language] > 0)
  if (used.length > 1) {
    return {
      language: 'python',
      warnings: [warning('KERNELS_MIXED', `Its notebooks are in ${used.join(' and ')}.`)],
    }
  }
  const [language = 'python'] = used
  return {
    language,
    warnings: language === 'python' ? [] : [warning('KERNEL_INFERRED', `Its notebooks are in ${language}.`)],
  }
}

function warning(code: string, message: string): Diagnostic {
  return { code, message, hint: 'Write a runtime.txt or a file with the packages to say it.' }
}

/** What a notebook says of itself. */
export function languageOf(text: string | undefined): Language | undefined {
  if (text === undefined || text.length > MAX_CHARACTERS) {
    return undefined
  }
  let notebook: unknown
  try {
    notebook = JSON.parse(text)
  } catch {
    return undefined
  }
  const metadata = isMapping(notebook) && isMapping(notebook.metadata) ? notebook.metadata : {}
  const { kernelspec, language_info: info } = metadata
  const written = isMapping(kernelspec) ? kernelspec.language : undefined
  const name = String(written ?? (isMapping(info) ? info.name : '') ?? '').toLowerCase()
  return name === 'python' || name === 'r' || name === 'julia' ? name : undefined
}
