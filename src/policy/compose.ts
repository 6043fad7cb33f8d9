import { posix } from 'node:path'
import { checkAccess } from './compose-access.ts'
import { checkBuild, checkImage } from './compose-build.ts'
import { checkKeys } from './compose-keys.ts'
import { checkKinds } from './compose-kinds.ts'
import { checkMounts, checkVolumes } from './compose-mounts.ts'
import { checkNetworks, checkPorts, checkRoutes, replicasOf } from './compose-network.ts'
import { checkIncludes, checkSecretSources, checkServicePaths } from './compose-paths.ts'
import { longForms } from './compose-syntax.ts'
import { type ComposeFile, isFinding, placeFindings, readComposeText } from './compose-text.ts'
import { createReport, type Finding } from './finding.ts'
import {
  type HostRules,
  isRemote,
  type ProjectFacts,
  pathsBelow,
  pathsFrom,
  type RuleContext,
} from './rule-context.ts'
import { listOf, type Shape, scalarText, shapeOf, shapesOf } from './shape.ts'

const MAX_SERVICES = 100
const MAX_REPLICAS = 20

/** One file of a project: its path and text, and the folder that its relative paths start at. */
export interface ComposeSource {
  readonly file: string
  readonly text: string
  readonly folder: string
}

export interface StaticCheck {
  readonly files: readonly ComposeFile[]
  readonly findings: readonly Finding[]
  /** Files that `include` and `extends` lead to: to be read and checked too, before Compose sees any. */
  readonly leadsTo: readonly { readonly file: string; readonly folder: string }[]
  /** Other files of the checkout whose content Compose puts in or interpolates with, there or not. */
  readonly reads: readonly string[]
}

/** The pass over files as written, before Compose reads them: all findings at once, with their lines. */
export function checkComposeFiles(
  sources: readonly ComposeSource[],
  rules: HostRules,
  project: ProjectFacts,
): StaticCheck {
  const files: ComposeFile[] = []
  const findings: Finding[] = []
  const leadsTo: { file: string; folder: string }[] = []
  const reads: string[] = []
  for (const { file, text, folder } of sources) {
    const read = readComposeText(file, text)
    if (isFinding(read)) {
      findings.push(read)
      continue
    }
    files.push(read)
    const report = createReport(rules.mode)
    const context = { report, rules, project, inCheckout: pathsFrom(folder) }
    const model = longForms(read.model)
    checkKinds(report, read.model)
    checkKeys(report, model)
    checkIncludes(context, model)
    for (const [name, service] of Object.entries(shapeOf(model.services))) {
      checkServicePaths(context, ['services', name], shapeOf(service))
    }
    checkRules(context, model)
    if (scalarText(model.name) !== undefined && model.name !== project.name) {
      report.warn('POL043', ['name'], {
        message: `"name: ${scalarText(model.name)}" is not used.`,
        fix: `The project is called "${project.name}"; change that in the app's settings.`,
      })
    }
    findings.push(...placeFindings(report.findings, [read]))
    leadsTo.push(...filesLedTo(context, model, folder))
    reads.push(...filesRead(context, model))
  }
  return { files, findings, leadsTo, reads }
}

/** The pass over Compose's own JSON: after interpolation, merge, `include` and `extends`. `root` is the checkout. */
export function checkComposeModel(
  model: Shape,
  root: string,
  given: {
    readonly rules: HostRules
    readonly project: ProjectFacts
    readonly files: readonly ComposeFile[]
  },
): Finding[] {
  const report = createReport(given.rules.mode)
  const context = { report, rules: given.rules, project: given.project, inCheckout: pathsBelow(root) }
  checkKinds(report, model)
  checkKeys(report, model)
  checkRules(context, model)
  checkRoutes(context, model)
  return placeFindings(report.findings, given.files)
}

/** The same finding of both passes once; the first, with the better place, stays. */
export function uniqueFindings(findings: readonly Finding[]): Finding[] {
  const seen = new Map<string, Finding>()
  for (const finding of findings) {
    const key = `${finding.rule} ${finding.path.replace(/\[\d+\]/g, '')} ${finding.message}`
    if (!seen.has(key)) {
      seen.set(key, finding)
    }
  }
  return [...seen.values()]
}

function checkRules(context: RuleContext, model: Shape): void {
  const services = Object.entries(shapeOf(model.services))
  if (services.length > MAX_SERVICES) {
    context.report.refuse('POL081', ['services'], {
      message: `${services.length} services are more than ${MAX_SERVICES}.`,
      fix: 'Split the app.',
    })
    return
  }
  for (const [name, value] of services) {
    const service = shapeOf(value)
    const path = ['services', name]
    checkAccess(context, path, service)
    checkMounts(context, path, service)
    checkPorts(context, [name, service])
    checkImage(context, path, service)
    checkBuild(context, path, service)
    if (!(replicasOf(service) >= 0 && replicasOf(service) <= MAX_REPLICAS)) {
      context.report.deny('POL081', [...path, 'deploy', 'replicas'], {
        message: `${replicasOf(service)} replicas are more than ${MAX_REPLICAS}.`,
        fix: `Use at most ${MAX_REPLICAS}.`,
      })
    }
  }
  checkNetworks(context, model)
  checkVolumes(context, model)
  checkSecretSources(context, model)
}

function filesLedTo(
  { inCheckout }: RuleContext,
  model: Shape,
  folder: string,
): { file: string; folder: string }[] {
  const led: { file: string; folder: string }[] = []
  const add = (written: unknown, from?: unknown) => {
    const path = scalarText(written)
    const file = path === undefined || isRemote(path) ? undefined : inCheckout(path)
    const start = scalarText(from)
    const base = start === undefined ? undefined : inCheckout(start)
    if (file) {
      led.push({ file, folder: base ?? (start === undefined ? posix.dirname(file) : folder) })
    }
  }
  for (const entry of shapesOf(model.include)) {
    for (const path of Array.isArray(entry.path) ? listOf(entry.path) : [entry.path]) {
      add(path, entry.project_directory)
    }
  }
  for (const service of Object.values(shapeOf(model.services))) {
    add(shapeOf(shapeOf(service).extends).file)
  }
  return led
}

function filesRead({ inCheckout }: RuleContext, model: Shape): string[] {
  const ofServices = Object.values(shapeOf(model.services)).flatMap(service => [
    ...shapesOf(shapeOf(service).env_file).map(entry => entry.path),
    ...listOf(shapeOf(service).label_file),
  ])
  const ofIncludes = shapesOf(model.include).flatMap(
    ({ env_file: file, path, project_directory: folder }) => {
      const first = Array.isArray(path) ? path[0] : path
      // Of an included project, Compose reads `.env` by itself.
      const preset = posix.join(scalarText(folder) ?? posix.dirname(scalarText(first) ?? '.'), '.env')
      return Array.isArray(file) ? file : [file ?? preset]
    },
  )
  return [...ofServices, ...ofIncludes].flatMap(path => inCheckout(scalarText(path) ?? '') || [])
}
