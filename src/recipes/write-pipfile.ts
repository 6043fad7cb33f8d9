import { isTable, tableIn } from '#formats/toml.ts'
import { isMapping, type Mapping } from './config-texts.ts'
import type { Writing } from './draft.ts'
import { addRequirementLines, noRequirements } from './requirements.ts'
import { ENVIRONMENTS, writePip } from './write-pip.ts'

/** The exact packages of Pipfile.lock, else those of the Pipfile, without the ones for development. pip installs them. */
export function writePipfile(writing: Writing): void {
  const { texts, draft, folder, allowed } = writing
  const { config } = texts
  const lock = texts.json('Pipfile.lock', 'PIPFILE')
  const pipfile = texts.toml('Pipfile', 'PIPFILE')
  const file = config.place(lock ? 'Pipfile.lock' : 'Pipfile')
  const meta = lock && isMapping(lock._meta) ? lock._meta : {}
  const sources = lock ? meta.sources : pipfile?.source
  const packages = lock ? lock.default : pipfile && tableIn(pipfile, 'packages')
  if (!lock) {
    draft.warnings.push({
      code: 'NO_LOCK',
      file,
      message: 'There is no Pipfile.lock: which versions are installed is decided when the image is built.',
      hint: 'Run "pipenv lock" and commit it.',
    })
  }
  const entries = Object.entries(isMapping(packages) ? packages : {}).sort(([a], [b]) => (a < b ? -1 : 1))
  // pip wants hashes of all packages or of none.
  const withHashes = entries.every(([, entry]) => isMapping(entry) && Array.isArray(entry.hashes))
  const found = noRequirements()
  const lines = [
    ...indexLines(sources),
    ...entries.map(([name, entry]) => requirementOf(name, entry, withHashes)),
  ]
  addRequirementLines({ folder, allowed, found }, { file, lines: lines.map(text => ({ text, line: 0 })) })
  for (const name of ['Pipfile', 'Pipfile.lock'].filter(config.has)) {
    found.inputs.add(config.place(name))
  }
  writePip(writing, found, ENVIRONMENTS.python)
}

function indexLines(sources: unknown): string[] {
  const urls = Array.isArray(sources)
    ? sources.flatMap(source => (isMapping(source) && typeof source.url === 'string' ? [source.url] : []))
    : []
  return urls
    .map((url, index) => `--${index === 0 ? 'index-url' : 'extra-index-url'} ${url}`)
    .filter(line => !/^--index-url https:\/\/pypi\.org\/simple\/?$/.test(line))
}

/** `{version = "==1.26", extras = ["x"]}` as a line that pip reads. */
function requirementOf(name: string, entry: unknown, withHashes: boolean): string {
  const settings: Mapping = isMapping(entry) || isTable(entry) ? entry : { version: entry }
  const text = (key: string) => (typeof settings[key] === 'string' ? (settings[key] as string) : undefined)
  const extras = Array.isArray(settings.extras) ? `[${settings.extras.join(',')}]` : ''
  const markers = text('markers') === undefined ? '' : ` ; ${text('markers')}`
  const path = text('path')
  if (path !== undefined) {
    return `${settings.editable === true ? '-e ' : ''}${/^[./]/.test(path) ? path : `./${path}`}${extras}`
  }
  const git = text('git')
  if (git !== undefined) {
    const reference = text('ref') === undefined ? '' : `@${text('ref')}`
    const folder = text('subdirectory') === undefined ? '' : `#subdirectory=${text('subdirectory')}`
    return `${name}${extras} @ ${git.startsWith('git+') ? git : `git+${git}`}${reference}${folder}${markers}`
  }
  const address = text('file') ?? text('url')
  if (address !== undefined) {
    return `${name}${extras} @ ${address}${markers}`
  }
  const version = text('version') ?? '*'
  const hashes = withHashes ? (settings.hashes as unknown[]).map(hash => ` --hash=${hash}`).join('') : ''
  return `${name}${extras}${version === '*' ? '' : version}${markers}${hashes}`
}
