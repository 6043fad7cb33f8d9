import type { Kysely } from 'kysely'
import { up as first } from './0001-first.ts'
import { up as observation } from './0003-observation.ts'
import { up as releases } from './0004-releases.ts'
import { up as deploymentDeadline } from './0005-deployment-deadline.ts'
import { up as approval } from './0006-approval.ts'
import { up as pastDeployments } from './0008-past-deployments.ts'
import { up as quiet } from './0009-quiet.ts'
import { up as stacks } from './0010-stacks.ts'
import { up as sources } from './0011-sources.ts'
import { up as reporting } from './0012-reporting.ts'
import { up as ciTrusts } from './0013-ci-trusts.ts'
import { up as loops } from './0014-loops.ts'
import { up as movedImages } from './0015-moved-images.ts'
import { up as artifacts } from './0017-artifacts.ts'
import { up as engines } from './0019-engines.ts'
import { up as conventions } from './0020-conventions.ts'
import { up as hooks } from './0022-hooks.ts'
import { up as hookTrust } from './0023-hook-trust.ts'
import { up as registryPaths } from './0025-registry-paths.ts'
import { up as heldRemovals } from './0026-held-removals.ts'
import { up as notebooks } from './0027-notebooks.ts'
import { up as notebookLinks } from './0028-notebook-links.ts'
import { up as remotes } from './0030-remotes.ts'
import { up as givenNames } from './0033-given-names.ts'
import { up as madeRoom } from './0034-made-room.ts'
import { up as pastOfCommits } from './0035-past-of-commits.ts'
import { up as imagePins } from './0036-image-pins.ts'
import { up as serviceNames } from './0036-service-names.ts'
import { up as sharedSecrets } from './0036-shared-secrets.ts'
import { up as shownNotebooks } from './0037-shown-notebooks.ts'
import { up as visits } from './0038-visits.ts'
import { up as firewall } from './0040-firewall.ts'
import { up as joinTokens } from './0041-join-tokens.ts'
import { up as people } from './0042-people.ts'
import { up as projects } from './0042-projects.ts'
import { up as audit } from './0043-audit.ts'
import { up as systems } from './0044-systems.ts'
import { up as keptFacts } from './0047-kept-facts.ts'
import { up as successors } from './0048-successors.ts'
import { up as owners } from './0049-owners.ts'
import { up as systemBackups } from './0049-system-backups.ts'
import { up as accounts } from './0050-accounts.ts'
import { up as notebookPackages } from './0052-notebook-packages.ts'
import { up as factsApart } from './0053-facts-apart.ts'
import { up as encryptedFiles } from './0054-encrypted-files.ts'
import { up as managerKeys } from './0055-manager-keys.ts'
import { up as backupCopies } from './0056-backup-copies.ts'
import { up as systemProfiles } from './0057-system-profiles.ts'
import { up as leader } from './0058-leader.ts'
import { up as logPieces } from './0059-log-pieces.ts'
import { up as passkeys } from './0060-passkeys.ts'
import { up as publishedPorts } from './0061-published-ports.ts'
import { up as revokedHosts } from './0062-revoked-hosts.ts'
import { up as clusters } from './0063-clusters.ts'
import { up as memberChanges } from './0064-member-changes.ts'
import { up as domainsByApp } from './0065-domains-by-app.ts'
import { up as endedMemberChanges } from './0067-ended-member-changes.ts'
import { up as sealedRequests } from './0068-sealed-requests.ts'
import { up as stoppedApps } from './0071-stopped-apps.ts'
import { up as runsOfWrites } from './0075-runs-of-writes.ts'

export interface Migration {
  readonly name: string
  readonly up: (db: Kysely<unknown>) => Promise<void>
}

/** In the order in which they are applied. A migration that was released is never changed. */
export const MIGRATIONS: readonly Migration[] = [
  { name: '0001-first', up: first },
  { name: '0003-observation', up: observation },
  { name: '0004-releases', up: releases },
  { name: '0005-deployment-deadline', up: deploymentDeadline },
  { name: '0006-approval', up: approval },
  { name: '0008-past-deployments', up: pastDeployments },
  { name: '0009-quiet', up: quiet },
  { name: '0010-stacks', up: stacks },
  { name: '0011-sources', up: sources },
  { name: '0012-reporting', up: reporting },
  { name: '0013-ci-trusts', up: ciTrusts },
  { name: '0014-loops', up: loops },
  { name: '0015-moved-images', up: movedImages },
  { name: '0017-artifacts', up: artifacts },
  { name: '0019-engines', up: engines },
  { name: '0020-conventions', up: conventions },
  { name: '0022-hooks', up: hooks },
  { name: '0023-hook-trust', up: hookTrust },
  { name: '0025-registry-paths', up: registryPaths },
  { name: '0026-held-removals', up: heldRemovals },
  { name: '0027-notebooks', up: notebooks },
  { name: '0028-notebook-links', up: notebookLinks },
  { name: '0030-remotes', up: remotes },
  { name: '0033-given-names', up: givenNames },
  { name: '0034-made-room', up: madeRoom },
  { name: '0035-past-of-commits', up: pastOfCommits },
  { name: '0036-image-pins', up: imagePins },
  { name: '0036-service-names', up: serviceNames },
  { name: '0036-shared-secrets', up: sharedSecrets },
  { name: '0037-shown-notebooks', up: shownNotebooks },
  { name: '0038-visits', up: visits },
  { name: '0040-firewall', up: firewall },
  { name: '0041-join-tokens', up: joinTokens },
  { name: '0042-people', up: people },
  { name: '0042-projects', up: projects },
  { name: '0043-audit', up: audit },
  { name: '0044-systems', up: systems },
  { name: '0047-kept-facts', up: keptFacts },
  { name: '0048-successors', up: successors },
  { name: '0049-owners', up: owners },
  { name: '0049-system-backups', up: systemBackups },
  { name: '0050-accounts', up: accounts },
  { name: '0052-notebook-packages', up: notebookPackages },
  { name: '0053-facts-apart', up: factsApart },
  { name: '0054-encrypted-files', up: encryptedFiles },
  { name: '0055-manager-keys', up: managerKeys },
  { name: '0056-backup-copies', up: backupCopies },
  { name: '0057-system-profiles', up: systemProfiles },
  { name: '0058-leader', up: leader },
  { name: '0059-log-pieces', up: logPieces },
  { name: '0060-passkeys', up: passkeys },
  { name: '0061-published-ports', up: publishedPorts },
  { name: '0062-revoked-hosts', up: revokedHosts },
  { name: '0063-clusters', up: clusters },
  { name: '0064-member-changes', up: memberChanges },
  { name: '0065-domains-by-app', up: domainsByApp },
  { name: '0067-ended-member-changes', up: endedMemberChanges },
  { name: '0068-sealed-requests', up: sealedRequests },
  { name: '0071-stopped-apps', up: stoppedApps },
  { name: '0075-runs-of-writes', up: runsOfWrites },
]
