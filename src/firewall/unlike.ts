import { asOpenings, openPorts } from './open-ports.ts'
import { writeOpening } from './opening.ts'
import { differences, outlineOf, type SeenTable } from './read-table.ts'
import { replaceTable, type WantedTable } from './table.ts'

/** How the table that is there cannot be the one that was just put there, in whatever words nft tells of it; empty: it can. */
export function unlike(wanted: WantedTable, seen: SeenTable): string[] {
  const openings = asOpenings(openPorts(wanted.openings)).map(writeOpening)
  return [
    ...differences(openings, seen.openings.map(writeOpening)),
    ...differences(outlineOf(replaceTable(wanted).nftables), seen.outline),
  ]
}
