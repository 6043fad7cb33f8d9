import type { AttestResult } from '#commands/image-attest.ts'
import { noteAttestations } from '#manager/artifacts/attestations.ts'
import { done, type Step, type StepContext, type StepOutcome } from '#manager/pipeline/step.ts'
import { tellWorker } from '#manager/pipeline/tell-worker.ts'

/** Puts beside an image what it is made of and how. The image is there already: a failure is a warning and no more. */
export const attest: Step = {
  name: 'attest',
  deadlineMs: 5 * 60_000,
  onFailure: 'ignore',
  isWanted: ({ facts }) => (facts.plan?.attest ?? []).length > 0,
  run: attestImages,
}

async function attestImages(context: StepContext): Promise<StepOutcome> {
  const { parts, deployment, facts } = context
  const told: object[] = []
  for (const tell of facts.plan?.attest ?? []) {
    const result = (await tellWorker(context, tell)) as unknown as AttestResult
    await noteAttestations(parts, deployment.id, result)
    const { packages, unread, attached } = result
    told.push({ packages, unread, attached })
  }
  return done({ attestations: told })
}
