/** Whether a host gets a certificate of the proxy's own authority, because no public one can exist. */
export function isInternalHost(host: string): boolean {
  return /^[0-9.]+$/.test(host) || !host.includes('.') || /\.(localhost|local|internal|test)$/.test(host)
}
