import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { SEARCH_PATH } from '#exec/call.ts'
import { createPerform } from '#exec/perform.ts'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import { createRedactor } from '#lib/redact.ts'
import type { GuardianConfig } from './config.ts'
import { HostFirewall } from './host-firewall.ts'

const ARM_MS = 30_000

/** The firewall of this host with hands of its own: no command and no deadline of one ends what it has begun. */
export function openFirewall(
  config: GuardianConfig,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): HostFirewall {
  const folder = join(config.data, 'rules')
  const temporary = join(config.data, 'temporary')
  for (const each of [folder, temporary]) {
    mkdirSync(each, { recursive: true, mode: 0o700 })
  }
  const redactor = createRedactor()
  const perform = createPerform({
    ...{ clock, redactor, temporary },
    say: text => logger.info('guardian.says', { text: redactor.text(text) }),
    signal: new AbortController().signal,
    workspace: config.data,
  })
  return new HostFirewall({
    ...{ folder, perform, clock, logger },
    bounds: config.bounds,
    undoer: (change, delayMs, readyFile) => ({
      kind: 'detached',
      program: 'node',
      args: [process.argv[1] ?? '', 'undo', change, String(delayMs)],
      env: { ...config.environment, PATH: SEARCH_PATH },
      readyFile,
      timeoutMs: ARM_MS,
      read: () => undefined,
    }),
  })
}
