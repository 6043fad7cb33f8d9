/** Of what a program calls itself, what a person knows it by: browsers name each other, so the order counts. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Headless)?(?:Chrome|Chromium|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\b(?:iPhone|iPad)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
]

/** `Firefox on Linux`; what is no browser under its own name. */
export function programText(program: string): string {
  const browser = BROWSERS.find(([pattern]) => pattern.test(program))?.[1]
  const system = SYSTEMS.find(([pattern]) => pattern.test(program))?.[1]
  if (!browser) {
    return program || 'Unknown program'
  }
  return system ? `${browser} on ${system}` : browser
}
