import type { Static } from 'typebox'
import { imageUsed } from '#commands/image.ts'
import { registryCollect } from '#commands/registry.ts'
import type { CollectResult } from '#commands/registry-collect.ts'
import { isEnvironmentKey, parseReference } from '#formats/image-reference.ts'
import { newId } from '#lib/id.ts'
import { namesOfApps } from '#manager/apps/names-of-apps.ts'
import { collectDetail } from '#manager/deployments/alone.ts'
import type { Deployment } from '#manager/deployments/deployment.ts'
import { requestDeployment } from '#manager/deployments/request.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import { pinnedImages } from '#manager/releases/pinned-images.ts'
import { COLLECT_BLIND, COLLECT_WAITS, NO_REGISTRY } from './errors.ts'
import { registryApp } from './registry-app.ts'
import { registryInUse } from './registry-in-use.ts'

const WAIT_MS = 10_000
const HOUR_SECONDS = 3_600

interface CollectWish {
  readonly dryRun: boolean
  /** Younger images stay; default an hour. */
  readonly olderThanSeconds?: number | undefined
}

type Parts = Pick<PipelineParts, 'db' | 'sealer' | 'registry' | 'agents' | 'keepReleases'>

/** What a collection would delete now, without deleting it. */
export async function previewCollection(parts: Parts, olderThanSeconds?: number): Promise<CollectResult> {
  const { host, data } = await collectionFor(parts, { dryRun: true, olderThanSeconds })
  const { deadlineMs, name: command } = registryCollect
  return (await parts.agents.tell(host, {
    ...{ id: newId(), command, params: data, deadlineMs, waitMs: WAIT_MS },
  })) as CollectResult
}

/** A deployment of the registry's app, which has the manager for itself and goes on after a restart. */
export async function requestCollection(
  parts: PipelineParts,
  by: string,
  olderThanSeconds?: number,
): Promise<Deployment> {
  const app = await registryApp(parts.db)
  if (!app) {
    throw NO_REGISTRY()
  }
  const detail = collectDetail(olderThanSeconds)
  const trigger = { kind: 'api', by, detail } as const
  const deployment = await requestDeployment(parts, { appId: app.id, kind: 'deploy', trigger })
  if (deployment.trigger.detail !== detail) {
    throw COLLECT_WAITS(deployment.id)
  }
  return deployment
}

/** What the host of the registry is told. Every engine is asked what its containers need: nobody knows of one that does not answer. */
export async function collectionFor(
  parts: Parts,
  { dryRun, olderThanSeconds = HOUR_SECONDS }: CollectWish,
): Promise<{ host: string; data: Readonly<Record<string, unknown>> }> {
  const [app, access] = [await registryApp(parts.db), await registryInUse(parts)]
  if (!app || !access || parts.registry) {
    throw NO_REGISTRY()
  }
  const hosts = await parts.db.selectFrom('hosts').select('name').where('role', '=', 'worker').execute()
  const { deadlineMs, name: command } = imageUsed
  const used = await Promise.all(
    hosts.map(async ({ name }) => {
      const answer = await parts.agents.tell(name, {
        id: newId(),
        command,
        params: {},
        deadlineMs,
        waitMs: WAIT_MS,
      })
      return namesIn(name, answer as Used)
    }),
  )
  const names = [...(await pinnedImages(parts.db, parts.keepReleases)), ...used.flat()]
  const { ours } = await namesOfApps(parts.db)
  const rules = { keep: keptIn(names), ours, youngerThanMs: olderThanSeconds * 1_000, dryRun }
  return { host: app.host, data: { app: app.name, access, ...rules } }
}

type Used = Static<typeof imageUsed.result>

/** What the engines of a host use. COLLECT_BLIND when one of them did not say. */
export function namesIn(host: string, { names, engines }: Used): readonly string[] {
  for (const { name, problem } of engines) {
    if (problem !== null) {
      throw COLLECT_BLIND(host, name, problem)
    }
  }
  return names
}

/**
 * As the registry itself knows them: by digest wherever it is, by tag in a repository. Whatever the registry was called
 * then: it may have had another name, and what is kept for another registry is kept once too often. Environments of
 * notebooks by their keys, which are their tags.
 */
export function keptIn(names: readonly string[]): string[] {
  const kept = names.flatMap(name => {
    const { host, repository, tag, digest } = parseReference(name) ?? {}
    const tagged = host !== undefined && tag !== undefined ? [`${repository}:${tag}`] : []
    return [
      ...(digest === undefined ? tagged : [digest]),
      ...(/^sha256:/.test(name) || isEnvironmentKey(name) ? [name] : []),
    ]
  })
  return [...new Set(kept)]
}
