import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { waitForPage } from '#cli/demo/visitors.ts'
import { pushAndTell } from '#cli/demo/watch-push.ts'
import type { World } from '#cli/demo/world.ts'
import type { Session } from '#cli/session.ts'
import type { DeploymentDetail, StepDocument } from '#contract/rest/deployments.ts'
import type { Contender } from './bench-world.ts'
import type { Figure } from './figure.ts'
import { median } from './median.ts'
import { type OwnTime, watchOwnTime } from './own-time.ts'
import { pageOf } from './tiny-app.ts'
import { untilEnd } from './until-end.ts'

const TARGETS = { container: '<= 0.8', compose: '<= 1.0' } as const

export interface Redeploys {
  /** ms from the end of the push to the new page. */
  readonly fairlead: number[]
  readonly floor: number[]
  readonly own: OwnTime[]
  readonly deployments: DeploymentDetail[]
}

/** P1: Fairlead and the shell script take turns; each push changes one copied file. The first turn warms both up. */
export async function measureRedeploys(
  session: Session,
  world: World,
  { contender, runs }: { contender: Contender; runs: number },
): Promise<Redeploys> {
  const measured: Redeploys = { fairlead: [], floor: [], own: [], deployments: [] }
  let push = 0
  for (let run = 0; run <= runs; run++) {
    const turns = run % 2 === 0 ? ([runFloor, runFairlead] as const) : ([runFairlead, runFloor] as const)
    for (const turn of turns) {
      push += 1
      await writeFile(join(contender.repository.folder, 'app/page'), pageOf(push))
      await contender.repository.commit(`push ${push}`)
      await turn(session, {
        world,
        contender,
        page: pageOf(push),
        measured: run === 0 ? NOWHERE() : measured,
      })
    }
  }
  return measured
}

const NOWHERE = (): Redeploys => ({ fairlead: [], floor: [], own: [], deployments: [] })

interface Turn {
  readonly world: World
  readonly contender: Contender
  readonly page: string
  readonly measured: Redeploys
}

async function runFloor({ clock }: Session, { contender, page, measured }: Turn): Promise<void> {
  await contender.repository.push()
  const startedAt = clock.monotonic()
  await contender.runFloor(page)
  measured.floor.push(clock.monotonic() - startedAt)
}

async function runFairlead(session: Session, { world, contender, page, measured }: Turn): Promise<void> {
  const { clock, signal } = session
  const { repository, hook, app } = contender
  const site = { port: world.proxy.httpPort, host: `${app.name}.localhost` }
  const own = await watchOwnTime(world)
  const { endedAt, deployments } = await pushAndTell(session, {
    repository,
    hook,
    gitServer: world.gitServer,
  })
  const answeredAt = await waitForPage(site, page.trim(), { clock, signal })
  const ended = await untilEnd(session, deployments[0] ?? '')
  if (ended.state !== 'succeeded') {
    throw new Error(`the deployment of ${app.name} ended ${ended.state}: ${ended.error?.message}`)
  }
  measured.fairlead.push(answeredAt - endedAt)
  measured.deployments.push(ended)
  measured.own.push(await own.of(ended))
}

export function redeployFigures(form: 'container' | 'compose', measured: Redeploys): Figure[] {
  const { fairlead, floor } = measured
  const ratio = median(fairlead) / median(floor)
  return [
    { id: 'P1', what: `${form}: shell script`, value: median(floor), unit: 'ms', target: '', samples: floor },
    {
      id: 'P1',
      what: `${form}: Fairlead`,
      value: median(fairlead),
      unit: 'ms',
      target: '',
      samples: fairlead,
      note: stepsOf(measured.deployments),
    },
    {
      id: 'P1',
      what: `${form}: Fairlead to shell script`,
      value: ratio,
      unit: 'ratio',
      target: TARGETS[form],
    },
  ]
}

/** The median duration of each step, in their order. */
export function stepsOf(deployments: readonly DeploymentDetail[]): string {
  const names = deployments[0]?.steps.map(step => step.name) ?? []
  return names
    .map(name => {
      const durations = deployments.map(({ steps }) => durationOf(steps.find(step => step.name === name)))
      return `${name} ${Math.round(median(durations))}`
    })
    .join(', ')
}

export function durationOf(step: StepDocument | undefined): number {
  return step ? Date.parse(step.finished_at ?? step.started_at) - Date.parse(step.started_at) : 0
}
