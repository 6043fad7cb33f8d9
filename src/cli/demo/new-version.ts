import { readFile, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { parseDocument } from 'yaml'

/** An app as a check of its repository describes it. */
export interface DescribedApp {
  readonly name: string
  readonly target: string
  readonly settings: Readonly<Record<string, unknown>>
}

/**
 * Changes a checkout so that each app becomes another version that does the same: a label more in a Dockerfile, a
 * variable more for the routed services of a Compose file. Gives what it changed, in words.
 */
export async function makeNewVersion(folder: string, apps: readonly DescribedApp[]): Promise<string[]> {
  const changed: string[] = []
  for (const { target, settings } of apps) {
    const file = fileOf(target, settings)
    const path = join(folder, file)
    const text = await readFile(path, 'utf8')
    const { stage, routes } = settings as { stage?: string; routes?: readonly { service: string }[] }
    const routed = routes?.map(({ service }) => service)
    await writeFile(path, target === 'compose' ? withVariable(text, routed) : withLabel(text, stage))
    changed.push(target === 'compose' ? `the variable ${MARK} in ${file}` : `the label ${MARK} in ${file}`)
  }
  return [...new Set(changed)]
}

const MARK = 'FAIRLEAD_DEMO'
const VALUE = 'second'

function fileOf(target: string, settings: Readonly<Record<string, unknown>>): string {
  const { dockerfile, context, files } = settings as {
    dockerfile?: string
    context?: string
    files?: readonly string[]
  }
  return target === 'compose'
    ? (files?.[0] ?? 'compose.yaml')
    : (dockerfile ?? posix.join(context ?? '.', 'Dockerfile'))
}

/** At the end of the stage, so that everything before it comes from the cache. */
export function withLabel(dockerfile: string, stage?: string): string {
  const lines = dockerfile.trimEnd().split('\n')
  const isStage = (line: string) => /^\s*from\s/i.test(line)
  const begin = stage === undefined ? -1 : lines.findIndex(line => isStage(line) && nameOf(line) === stage)
  const next = begin === -1 ? -1 : lines.findIndex((line, index) => index > begin && isStage(line))
  lines.splice(next === -1 ? lines.length : next, 0, `LABEL ${MARK}=${VALUE}`)
  return `${lines.join('\n')}\n`
}

function nameOf(from: string): string | undefined {
  return /\sas\s+(\S+)\s*$/i.exec(from)?.[1]
}

/** For the routed services; when none is named for those that open a port, else for all. */
export function withVariable(compose: string, routed?: readonly string[]): string {
  const document = parseDocument(compose)
  const services = (document.toJS() as { services?: Record<string, Service | null> }).services ?? {}
  const names = Object.keys(services)
  const open = names.filter(name => services[name]?.ports || services[name]?.expose)
  for (const name of routed ?? (open.length > 0 ? open : names)) {
    const place = ['services', name, 'environment']
    if (Array.isArray(services[name]?.environment)) {
      document.addIn(place, `${MARK}=${VALUE}`)
    } else {
      document.setIn(place, { ...services[name]?.environment, [MARK]: VALUE })
    }
  }
  return document.toString()
}

interface Service {
  readonly ports?: unknown
  readonly expose?: unknown
  readonly environment?: Readonly<Record<string, unknown>> | readonly string[]
}
