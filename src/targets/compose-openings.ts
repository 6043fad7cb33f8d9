import type { RenderedService } from '#commands/compose-data.ts'
import type { ComposeSettings } from './compose-settings.ts'
import { APP_SETTING_WRONG } from './setting-errors.ts'

/** APP_SETTING_WRONG for a port that no service publishes to the outside: what listens there is somebody else's. */
export function refuseUnpublished(
  { ports = [] }: Pick<ComposeSettings, 'ports'>,
  services: Readonly<Record<string, Pick<RenderedService, 'ports' | 'replicas'>>>,
): void {
  const published = Object.values(services).flatMap(service => (service.replicas > 0 ? service.ports : []))
  for (const { port, protocol = 'tcp' } of ports) {
    const isOurs = published.some(
      // A worker of an older release does not tell the protocol.
      each =>
        each.published === String(port) &&
        (each.protocol ?? protocol) === protocol &&
        !/^(?:127\.|\[?::1\]?$)/.test(each.address ?? ''),
    )
    if (!isOurs) {
      throw APP_SETTING_WRONG('ports', `no service publishes ${port}/${protocol} to the outside`)
    }
  }
}
