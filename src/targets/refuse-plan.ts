import { posix } from 'node:path'
import type { Static } from 'typebox'
import { containerStart } from '#commands/container.ts'
import { refuseForbiddenPorts, refuseOverLimits } from '#commands/container-policy.ts'
import { imageBuild } from '#commands/image.ts'
import { type Built, refuseDockerfile } from '#commands/image-policy.ts'
import { type NotebookExamined, OWN_DOCKERFILES } from '#commands/notebook-data.ts'
import { notebookEnvironment } from '#commands/notebook-environment.ts'
import { registryServe } from '#commands/registry.ts'
import { systemCreate, systemResize } from '#commands/system.ts'
import { refuseForbiddenShape } from '#commands/system-policy.ts'
import { isFromAllowedRegistry } from '#policy/container.ts'
import type { Plan, PlanInput, TargetRules, Tell } from './target.ts'

interface Known {
  readonly rules: TargetRules
  readonly input: Pick<PlanInput<unknown>, 'source' | 'found'>
}

/** A Dockerfile that a plan builds from: where it is, and with which arguments. */
export interface PlannedDockerfile extends Omit<Built, 'text'> {
  readonly repository: string
  readonly commit: string
}

/** The Dockerfiles that the worker would refuse when it builds. An image that it may fetch is not built. */
export function dockerfilesOf(
  { build }: Pick<Plan, 'build'>,
  { rules, input }: Known,
): readonly PlannedDockerfile[] {
  if (rules.mode !== 'enforce') {
    return []
  }
  return build.flatMap(({ command, data }) => {
    if (command === imageBuild.name) {
      const { repository, commit, dockerfile, args, fetch } = data as Static<typeof imageBuild.data>
      return fetch && isFromAllowedRegistry(rules, `${fetch.registry.address}/image`)
        ? []
        : [{ repository, commit, dockerfile: posix.normalize(dockerfile), args }]
    }
    return (command === notebookEnvironment.name ? ownDockerfileOf(data, input) : undefined) ?? []
  })
}

/** Of a notebook project whose image is its own Dockerfile. */
function ownDockerfileOf(
  data: Tell['data'],
  { source, found }: Known['input'],
): PlannedDockerfile | undefined {
  const { pack } = (found.examined ?? {}) as Partial<NotebookExamined>
  const { repository, commit, folder } = data as Static<typeof notebookEnvironment.data>
  const dockerfile = OWN_DOCKERFILES.map(name => posix.join(folder, name)).find(path =>
    source.paths.includes(path),
  )
  return pack === 'docker' && dockerfile !== undefined
    ? { repository, commit, dockerfile, args: {} }
    : undefined
}

export interface PlanRules extends Known {
  /** Of the Dockerfiles, by their paths. One that is not here is left to the worker. */
  readonly texts: Readonly<Record<string, string>>
}

/**
 * What a plan builds and starts, by the rules of the host as its worker tells them, before anything is built. The
 * worker asks the same functions again when it is told to. On a host that does not enforce, the worker alone warns.
 */
export function refusePlan(plan: Pick<Plan, 'build' | 'apply'>, { rules, texts, input }: PlanRules): void {
  for (const { dockerfile, args } of dockerfilesOf(plan, { rules, input })) {
    const text = Object.hasOwn(texts, dockerfile) ? texts[dockerfile] : undefined
    if (text !== undefined) {
      refuseDockerfile(rules, { dockerfile, text, args }, saysNothing)
    }
  }
  for (const { command, data } of plan.apply) {
    STARTS[command]?.(rules, data as never)
  }
}

function saysNothing(): void {}

/** By the name of a command that starts something; Compose files and stacks are judged as files (refuse-files.ts). */
const STARTS: Readonly<Record<string, (rules: TargetRules, data: never) => void>> = {
  [containerStart.name]: (rules, data: Static<typeof containerStart.data>) => {
    refuseForbiddenPorts(rules, data.ports, saysNothing)
    refuseOverLimits(rules, data)
  },
  [registryServe.name]: (rules, { port }: Static<typeof registryServe.data>) =>
    refuseForbiddenPorts(rules, [{ host: port }], saysNothing),
  [systemCreate.name]: refuseSystem,
  [systemResize.name]: refuseSystem,
}

function refuseSystem(rules: TargetRules, data: Parameters<typeof refuseForbiddenShape>[1]): void {
  refuseForbiddenShape(rules, data, saysNothing)
}
