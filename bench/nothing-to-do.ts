import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { GIT_ENVIRONMENT } from '#cli/demo/git-repository.ts'
import type { World } from '#cli/demo/world.ts'
import type { Session } from '#cli/session.ts'
import type { DeploymentDetail, DeploymentDocument } from '#contract/rest/deployments.ts'
import type { Contender } from './bench-world.ts'
import type { Figure } from './figure.ts'
import { median } from './median.ts'
import { untilEnd } from './until-end.ts'

/** P5: a deployment that finds nothing to do, by the manager's own times, less what `git ls-remote` takes alone. */
export async function measureNothingToDo(
  session: Session,
  world: World,
  { contender, runs }: { contender: Contender; runs: number },
): Promise<Figure[]> {
  const decisions: number[] = []
  const lookups: number[] = []
  // The last push may have been the shell script's.
  await redeploy(session, contender)
  for (let run = 0; run <= runs; run++) {
    lookups.push(await lookUp(session, world, contender))
    const ended = await redeploy(session, contender)
    if (ended.outcome !== 'nothing-to-do') {
      throw new Error(`there was something to do for ${contender.app.name}: ${ended.outcome}`)
    }
    decisions.push(durationOf(ended))
  }
  const beyond = median(decisions.slice(1)) - median(lookups.slice(1))
  return [
    {
      id: 'P5',
      what: `${contender.app.form}: nothing to do, beyond git ls-remote`,
      value: beyond,
      unit: 'ms',
      target: '<= 150',
      samples: decisions.slice(1),
      note: `${Math.round(median(decisions.slice(1)))} ms less ${Math.round(median(lookups.slice(1)))} ms`,
    },
  ]
}

async function redeploy(session: Session, { app }: Contender): Promise<DeploymentDetail> {
  const { id } = await session.client.send<DeploymentDocument>('POST', `/apps/${app.name}/deploy`, {})
  return await untilEnd(session, id)
}

async function lookUp({ clock }: Session, { gitServer, folder }: World, { app }: Contender): Promise<number> {
  const url = new URL(gitServer.url(app.name))
  url.username = gitServer.username
  url.password = encodeURIComponent(gitServer.password)
  const startedAt = clock.monotonic()
  await promisify(execFile)('git', ['ls-remote', url.href, 'refs/heads/main'], {
    env: { ...GIT_ENVIRONMENT, HOME: folder, GIT_SSL_CAINFO: gitServer.caFile },
  })
  return clock.monotonic() - startedAt
}

function durationOf({ created_at, finished_at }: DeploymentDetail): number {
  return Date.parse(finished_at ?? '') - Date.parse(created_at)
}
