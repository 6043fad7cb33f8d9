import { inBytes } from '#cli/bytes.ts'
import type { Session } from '#cli/session.ts'
import type { PruneDocument } from '#contract/rest/host-prune.ts'

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
  const { images, containers, kept, before, after } = answer
  const would = dryRun ? 'would go' : 'gone'
  printer.table(
    ['image', 'size', 'of its own', ''],
    [
      ...images.map(({ names, id, bytes, own_bytes }) => [
        names[0] ?? id.slice(0, 19),
        inBytes(bytes),
        inBytes(own_bytes),
        would,
      ]),
      ...kept.map(({ name, why }) => [name, '', '', `stays: ${why}`]),
    ],
  )
  for (const name of containers) {
    printer.line(`container ${name}: ${would}`)
  }
  printer.line(
    after === null
      ? `Nothing was deleted. Images take ${inBytes(before.layer_bytes)}, the build cache ${inBytes(before.build_cache_bytes)} (${inBytes(answer.stale_cache_bytes)} unused for a day).`
      : `Images: ${inBytes(before.layer_bytes)} -> ${inBytes(after.layer_bytes)}; build cache: ${inBytes(before.build_cache_bytes)} -> ${inBytes(after.build_cache_bytes)}.`,
  )
}
