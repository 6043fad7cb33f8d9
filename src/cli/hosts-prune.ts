import { inBytes } from '#cli/bytes.ts'
import type { Session } from '#cli/session.ts'
import type { PruneDocument } from '#contract/rest/host-prune.ts'
import { inertLine } from './inert.ts'

export interface PruneOptions {
  readonly dryRun?: boolean
  readonly allUnused?: boolean
  /** In ms. */
  readonly olderThan?: number
}

/** Deletes what nothing needs on a host, or says what would go and what stays for which reason. */
export async function pruneHost(
  { client, printer }: Session,
  host: string,
  options: PruneOptions,
): Promise<void> {
  const { dryRun = false, allUnused = false, olderThan } = options
  const age = olderThan === undefined ? {} : { older_than_seconds: Math.floor(olderThan / 1_000) }
  const body = { dry_run: dryRun, all_unused: allUnused, ...age }
  const answer = await client.send<PruneDocument>('POST', `/hosts/${encodeURIComponent(host)}/prune`, body)
  printer.answer(answer)
  for (const engine of answer.engines) {
    sayEngine(printer, engine, dryRun)
  }
  for (const { engine, problem } of answer.problems) {
    printer.line(`engine ${engine}: nothing was done: ${inertLine(problem)}`)
  }
}

function sayEngine(
  printer: Session['printer'],
  pruned: PruneDocument['engines'][number],
  dryRun: boolean,
): void {
  const { engine, images, containers, kept, before, after } = pruned
  const would = dryRun ? 'would go' : 'gone'
  printer.table(
    ['image', 'engine', 'size', 'of its own', ''],
    [
      ...images.map(({ names, id, bytes, own_bytes }) => [
        names[0] ?? id.slice(0, 19),
        engine,
        inBytes(bytes),
        inBytes(own_bytes),
        would,
      ]),
      ...kept.map(({ name, why }) => [name, engine, '', '', `stays: ${why}`]),
    ],
  )
  for (const name of containers) {
    printer.line(`container ${name}: ${would}`)
  }
  const { layer_bytes: imageBytes, build_cache_bytes: cache } = before
  printer.line(
    after === null
      ? `engine ${engine}: nothing was deleted. Images take ${inBytes(imageBytes)}, the build cache ${inBytes(cache)} (${inBytes(pruned.stale_cache_bytes)} unused for a day).`
      : `engine ${engine}: images ${inBytes(imageBytes)} -> ${inBytes(after.layer_bytes)}; build cache ${inBytes(cache)} -> ${inBytes(after.build_cache_bytes)}.`,
  )
}
