import { notebookContent } from '#commands/notebook-content.ts'
import type { NotebookExamined } from '#commands/notebook-data.ts'
import { notebookEnvironment } from '#commands/notebook-environment.ts'
import { changesOf } from './container-changes.ts'
import { type Decision, decideOn, isSettled } from './container-decision.ts'
import { readRelease, releasedImageOf, releaseOf } from './container-release.ts'
import { NO_TELLS, planRun } from './container-run-plan.ts'
import type { RunWants } from './container-wants.ts'
import { makingChanges } from './notebook-changes.ts'
import { examinedOf, notebookFound } from './notebook-found.ts'
import { notebookOf, releasedNotebook } from './notebook-release.ts'
import type { NotebookTargetSettings } from './notebook-settings.ts'
import { folderOf, notebookWantsOf } from './notebook-wants.ts'
import { fetchTell } from './released-image.ts'
import { type LookInput, type Plan, type PlanInput, resultOf, type Tell, tell } from './target.ts'

type NotebookDecision = Decision<RunWants, NotebookTargetSettings>

export function decideNotebook(input: PlanInput<NotebookTargetSettings>): NotebookDecision {
  return decideOn(input, notebookWantsOf(input), notebookFound(input))
}

/** Decides what to tell the worker from what it reported. Pure: the same input gives the same plan. */
export function planNotebook(input: PlanInput<NotebookTargetSettings>): Plan {
  const decision = decideNotebook(input)
  const { wants, found, configHash, present, serving, leftovers } = decision
  const examined = examinedOf(input)
  const build = examined ? makingTells(decision, examined) : fetchingTells(decision)
  const isMade = examined !== undefined && build.length > 0
  const pinned = isMade && input.registry ? resultOf('content', 'pinned') : found.content.pinned
  const run = releaseOf(wants, {
    reference: found.content.reference,
    pinned,
    imageId: present?.imageId ?? resultOf('start', 'imageId'),
    configHash,
  })
  const notebook = examined ? notebookOf(input.settings, examined) : releasedNotebook(input.goal)
  const changes = [
    ...(isMade ? makingChanges(input, examined) : []),
    ...changesOf({
      app: input.app.name,
      before: readRelease(input.previous),
      after: run,
      serving,
      present,
      leftovers,
      build: build.length > 0 && !isMade ? 'fetch' : 'none',
      push: 'none',
      image: found.content,
      route: found.route,
      fault: found.fault,
      isDrifted: input.drifted?.containers.includes(serving?.id ?? '') ?? false,
    }).filter(({ kind }) => kind !== 'delete-volume'),
  ]
  const release = { ...run, ...(notebook ? { notebook } : {}) }
  if (isSettled(decision)) {
    return { ...NO_TELLS, release, changes, nothingToDo: true }
  }
  const before = [input.previous, ...(input.kept ?? [])].map(each => releasedNotebook(each))
  const environments = [notebook, ...before].flatMap(each => each?.environment || [])
  const image = isMade
    ? resultOf('content', 'reference')
    : (found.content.localName ?? found.content.pinned ?? found.content.reference)
  const planned = planRun(decision, { build, push: [], image, environments })
  return { ...planned, release, changes, nothingToDo: false }
}

/** What names a project for the worker. */
export function wishOf({ app, settings, source, registry, notebooks }: LookInput<NotebookTargetSettings>) {
  const { bases = [], allowed, date, prefix, registries = [] } = notebooks ?? {}
  return {
    repository: source.repository,
    commit: source.commit,
    folder: folderOf(settings),
    slug: app.name,
    ...(settings.entry === undefined ? {} : { settings: { entry: settings.entry } }),
    bases: bases.map(base => ({ ...base, pythons: [...base.pythons], tools: [...base.tools] })),
    ...(allowed ? { allowed: [...allowed] } : {}),
    ...(date === undefined ? {} : { date }),
    ...(registry ? { registry } : {}),
    ...(registries.length > 0 ? { registries: [...registries] } : {}),
    ...(prefix === undefined ? {} : { prefix }),
  }
}

/** The environment, which other projects may have made already, and on it the files; both reach the registry by themselves. */
function makingTells(
  { input, mustBuild, mustPush }: NotebookDecision,
  { environment, content }: NotebookExamined,
): Tell[] {
  if (!(mustBuild || mustPush) || !environment || !content) {
    return []
  }
  const wish = wishOf(input)
  return [
    tell('environment', notebookEnvironment, { ...wish, key: environment.key }),
    tell('content', notebookContent, {
      ...wish,
      key: content.key,
      environment: {
        reference: resultOf('environment', 'reference'),
        imageId: resultOf('environment', 'imageId'),
        digest: resultOf('environment', 'digest'),
        how: resultOf('environment', 'how'),
      },
    }),
  ]
}

function fetchingTells({ input, found, mustBuild }: NotebookDecision): Tell[] {
  const { goal } = input
  return goal && mustBuild
    ? [
        fetchTell({
          key: 'build',
          image: releasedImageOf(input, goal),
          found: found.released,
          name: 'rename',
        }),
      ]
    : []
}
