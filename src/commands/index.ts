import { INTERNAL } from '#lib/errors.ts'
import type { Command } from './command.ts'
import { composeDown } from './compose-down.ts'
import { composeLogs } from './compose-logs.ts'
import { composeObserve } from './compose-observe.ts'
import { composeRecall } from './compose-recall.ts'
import { composeRender } from './compose-render.ts'
import { composeRestore } from './compose-restore.ts'
import { composeRetire } from './compose-retire.ts'
import { composeStop } from './compose-stop.ts'
import { composeUp } from './compose-up.ts'
import { composeVerify } from './compose-verify.ts'
import { containerLogs } from './container-logs.ts'
import { containerObserve } from './container-observe.ts'
import { containerRemove } from './container-remove.ts'
import { containerStart } from './container-start.ts'
import { containerUsage } from './container-usage.ts'
import { containerVerify } from './container-verify.ts'
import { containerWatch } from './container-watch.ts'
import { engineChoose } from './engine-choose.ts'
import { firewallApply, firewallConfirm, firewallObserve } from './firewall.ts'
import { guardianCheck } from './guardian-check.ts'
import { hostCheck } from './host-check.ts'
import { hostObserve } from './host-observe.ts'
import { hostPrune } from './host-prune.ts'
import { imageAttest } from './image-attest.ts'
import { imageBuild } from './image-build.ts'
import { imageContent } from './image-content.ts'
import { imageDigest } from './image-digest.ts'
import { imageFetch } from './image-fetch.ts'
import { imageFind } from './image-find.ts'
import { imageList } from './image-list.ts'
import { imagePrune } from './image-prune.ts'
import { imagePublish } from './image-publish.ts'
import { imagePublished } from './image-published.ts'
import { imagePush } from './image-push.ts'
import { imageUsed } from './image-used.ts'
import { notebookContent } from './notebook-content.ts'
import { notebookEnvironment } from './notebook-environment.ts'
import { notebookExamine } from './notebook-examine.ts'
import { notebookLinks } from './notebook-links.ts'
import { notebookPackages } from './notebook-packages.ts'
import { notebookPicture } from './notebook-picture.ts'
import { notebookPreview } from './notebook-preview.ts'
import { notebookScan } from './notebook-scan.ts'
import { registryCollect } from './registry-collect.ts'
import { registryForget } from './registry-forget.ts'
import { registryObserve } from './registry-observe.ts'
import { registryServe } from './registry-serve.ts'
import { registryTrust } from './registry-trust.ts'
import {
  repositoryChanges,
  repositoryCheckout,
  repositoryForget,
  repositoryRead,
  repositoryTip,
  repositoryTrees,
} from './repository.ts'
import { repositoryBytes } from './repository-bytes.ts'
import { repositoryCommit } from './repository-commit.ts'
import { repositoryTags } from './repository-tags.ts'
import { repositoryWriteBack } from './repository-write-back.ts'
import { routeObserve, routeRemove } from './route.ts'
import { routeAdmit } from './route-admit.ts'
import { routeExpel } from './route-expel.ts'
import { routePoint } from './route-point.ts'
import { routeRedirect } from './route-redirect.ts'
import { routeVerify } from './route-verify.ts'
import { stackCompose } from './stack-compose.ts'
import { stackFind } from './stack-find.ts'
import {
  swarmDeploy,
  swarmDown,
  swarmList,
  swarmLogs,
  swarmObserve,
  swarmRecall,
  swarmRender,
  swarmRestore,
  swarmTidy,
  swarmVerify,
} from './swarm.ts'
import {
  systemAuthorize,
  systemBackup,
  systemConsole,
  systemCreate,
  systemDelete,
  systemForget,
  systemForgetBackup,
  systemInstall,
  systemMemberLook,
  systemMemberState,
  systemMove,
  systemObserve,
  systemRename,
  systemResize,
  systemRestore,
  systemSendBackup,
  systemSnapshot,
  systemStart,
  systemStop,
  systemTakeBackup,
  systemVerify,
} from './system.ts'

/** Everything that a manager may tell an agent. */
export const COMMANDS: readonly Command[] = [
  repositoryTip,
  repositoryChanges,
  repositoryCheckout,
  repositoryBytes,
  repositoryRead,
  repositoryTrees,
  repositoryTags,
  repositoryForget,
  repositoryWriteBack,
  repositoryCommit,
  notebookLinks,
  notebookPreview,
  notebookPackages,
  notebookPicture,
  imageContent,
  imageDigest,
  imageAttest,
  imageBuild,
  imagePush,
  imagePublish,
  imagePublished,
  imageFind,
  imageFetch,
  imageList,
  imagePrune,
  imageUsed,
  notebookScan,
  notebookExamine,
  notebookEnvironment,
  notebookContent,
  containerObserve,
  containerStart,
  containerUsage,
  containerVerify,
  containerWatch,
  containerRemove,
  containerLogs,
  composeRender,
  composeRecall,
  composeObserve,
  composeLogs,
  composeUp,
  composeVerify,
  composeRetire,
  composeRestore,
  composeDown,
  composeStop,
  engineChoose,
  firewallObserve,
  firewallApply,
  firewallConfirm,
  guardianCheck,
  hostObserve,
  hostCheck,
  hostPrune,
  routeObserve,
  routeAdmit,
  routeExpel,
  routeRedirect,
  routePoint,
  routeVerify,
  routeRemove,
  stackFind,
  stackCompose,
  registryServe,
  registryObserve,
  registryForget,
  registryTrust,
  registryCollect,
  swarmList,
  swarmLogs,
  swarmRender,
  swarmRecall,
  swarmObserve,
  swarmDeploy,
  swarmVerify,
  swarmTidy,
  swarmRestore,
  swarmDown,
  systemObserve,
  systemCreate,
  systemResize,
  systemMemberLook,
  systemMemberState,
  systemMove,
  systemRename,
  systemAuthorize,
  systemStart,
  systemStop,
  systemVerify,
  systemSnapshot,
  systemForget,
  systemRestore,
  systemDelete,
  systemConsole,
  systemBackup,
  systemForgetBackup,
  systemSendBackup,
  systemTakeBackup,
  systemInstall,
] as unknown as readonly Command[]

/** The command with this name; plans and journals only hold names of the list. */
export function commandNamed(name: string): Command {
  const command = COMMANDS.find(candidate => candidate.name === name)
  if (!command) {
    throw INTERNAL(`there is no command "${name}"`)
  }
  return command
}
