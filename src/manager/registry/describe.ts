import type { RegistryDocument } from '#contract/rest/registry.ts'
import type { PipelineParts } from '#manager/pipeline/step.ts'
import type { RegistrySettings } from '#targets/registry-settings.ts'
import { certificateEnd } from './certificate.ts'
import { registryApp } from './registry-app.ts'
import { registryInUse } from './registry-in-use.ts'

/** The registry as people may see it: without its password and its key. */
export async function describeRegistry(
  parts: Pick<PipelineParts, 'db' | 'sealer' | 'registry'>,
): Promise<RegistryDocument> {
  const [app, inUse] = [await registryApp(parts.db), await registryInUse(parts)]
  const settings = app && (JSON.parse(app.overrides) as RegistrySettings)
  const { address = null, username = null, ca = null } = inUse ?? {}
  const who = parts.registry ? ('environment' as const) : ('app' as const)
  return {
    configured_by: inUse ? who : null,
    address,
    username,
    authority: ca,
    app:
      app && settings
        ? {
            name: app.name,
            host: app.host,
            image: settings.image,
            certificate_ends_at: new Date(certificateEnd(settings.certificate)).toISOString(),
          }
        : null,
  }
}
