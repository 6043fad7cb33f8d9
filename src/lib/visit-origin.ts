import { isInternalHost } from './internal-host.ts'

/** Where the proxy of a host listens for visitors. */
export interface VisitorPorts {
  readonly httpPort: number
  readonly httpsPort: number
}

const USUAL: VisitorPorts = { httpPort: 80, httpsPort: 443 }

/**
 * Where visitors find a host name: `https://shop.example.org`, `http://shop.localhost:8080`. Certificates of internal
 * names are trusted by nobody's browser, so these are visited without.
 */
export function visitOrigin(host: string, { httpPort, httpsPort }: VisitorPorts = USUAL): string {
  const [scheme, port, usual] = isInternalHost(host)
    ? (['http', httpPort, USUAL.httpPort] as const)
    : (['https', httpsPort, USUAL.httpsPort] as const)
  return `${scheme}://${host}${port === usual ? '' : `:${port}`}`
}
