import type { ReleaseDocument } from '#contract/rest/apps.ts'

/** The newest commit that is known to be what runs: a release stays when a later commit wants exactly the same. */
export function runningCommit(release: ReleaseDocument | null): string {
  return (release?.confirmed?.commit ?? release?.commit)?.slice(0, 12) ?? '-'
}
