import type { Deployment } from '#manager/deployments/deployment.ts'
import { type DeploymentsContext, requestDeployment } from '#manager/deployments/request.ts'

export interface StackRequest {
  readonly appId: string
  readonly scheme: 'v1' | 'v2'
  /** Address of the caller, for the record. */
  readonly address: string
}

/** Requests deployments of stacks, such that a signature which can be repeated for ever does no harm. */
export interface StackRequests {
  /**
   * A call while one is queued joins it; while one runs, one is queued behind it, because the one that runs may have
   * fetched its images already. Those of v1 begin at intervals: calls in between wait together for one deployment.
   */
  request(wanted: StackRequest): Promise<Deployment>
}

export function createStackRequests(context: DeploymentsContext, intervalMs: number): StackRequests {
  const { clock } = context
  const last = new Map<string, number>()
  const waiting = new Map<string, Promise<Deployment>>()

  /** Everybody who calls while this waits is answered by what it requests. */
  async function later(wanted: StackRequest, ms: number): Promise<Deployment> {
    await clock.sleep(ms)
    waiting.delete(wanted.appId)
    return await now(wanted)
  }

  async function now(wanted: StackRequest): Promise<Deployment> {
    last.set(wanted.appId, clock.monotonic())
    return await requested(wanted)
  }

  async function requested({ appId, scheme, address }: StackRequest): Promise<Deployment> {
    const trigger = { kind: 'signed', by: scheme, detail: address } as const
    return await requestDeployment(context, { appId, kind: 'deploy', trigger })
  }

  return {
    request(wanted) {
      if (wanted.scheme === 'v2') {
        return requested(wanted)
      }
      const { appId } = wanted
      const before = last.get(appId)
      const leftMs = before === undefined ? 0 : before + intervalMs - clock.monotonic()
      const work = waiting.get(appId)
      if (work !== undefined || leftMs <= 0) {
        return work ?? now(wanted)
      }
      const fresh = later(wanted, leftMs)
      waiting.set(appId, fresh)
      return fresh
    },
  }
}
