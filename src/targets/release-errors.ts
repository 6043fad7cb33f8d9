import { defineError } from '#lib/errors.ts'

export const RELEASE_IMAGE_UNKNOWN = defineError({
  code: 'RELEASE_IMAGE_UNKNOWN',
  status: 409,
  retry: 'never',
  message: (app: string, commit: string) =>
    `The release of "${app}" at commit ${commit.slice(0, 12)} does not say which image it ran.`,
  hint: (app: string, commit: string) =>
    `Make it anew from its commit: "fairlead deploy ${app} --commit ${commit}".`,
})

export const RELEASE_IMAGE_GONE = defineError({
  code: 'RELEASE_IMAGE_GONE',
  status: 409,
  retry: 'never',
  message: (image: string, why: string) =>
    `The image ${image} of this release cannot be had any more: ${why}.`,
  hint: () =>
    'Deploy the commit of the release instead ("fairlead deploy --commit"): its image is then built again. With a registry (FAIRLEAD_REGISTRY), images of releases outlive the host.',
})

export const RELEASE_RENDER_GONE = defineError({
  code: 'RELEASE_RENDER_GONE',
  status: 409,
  retry: 'never',
  message: (app: string, commit: string) =>
    `The host no longer has what the release of "${app}" at commit ${commit.slice(0, 12)} was made of.`,
  hint: (app: string, commit: string) =>
    `Make it anew from its commit: "fairlead deploy ${app} --commit ${commit}".`,
})
