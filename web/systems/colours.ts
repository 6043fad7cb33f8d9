/**
 * Colours of 24 bits become the nearest of the 256 that a terminal has classes for: for others xterm.js writes styles
 * into elements, which the policy of the page refuses. Carries over what is cut between two pieces.
 */
export function createColourFilter(): (text: string) => string {
  let rest = ''
  return text => {
    const whole = rest + text
    const cut = CUT.exec(whole)
    rest = cut?.[0] ?? ''
    return whole
      .slice(0, whole.length - rest.length)
      .replace(
        COLOUR,
        (_, layer: string, red: string, green: string, blue: string) =>
          `${layer}${SEPARATOR}5${SEPARATOR}${nearest(Number(red), Number(green), Number(blue))}`,
      )
  }
}

const SEPARATOR = ';'
/** Within a sequence for looks: 38;2;r;g;b, or with colons and perhaps the name of a colour space. */
const COLOUR =
  /(?<=\u001b\[[0-9;:]*)\b([345]8)[;:]2(?:(?<=:2):[0-9]*(?=(?::[0-9]+){3}))?[;:]([0-9]{1,3})[;:]([0-9]{1,3})[;:]([0-9]{1,3})(?=[0-9;:]*m)/g
/** A sequence that has not ended yet. */
const CUT = /\u001b(?:\[[0-9;:]{0,60})?$/

function nearest(red: number, green: number, blue: number): number {
  const level = (value: number) => Math.round((Math.min(255, value) / 255) * 5)
  return 16 + 36 * level(red) + 6 * level(green) + level(blue)
}
