import { join } from 'node:path'
import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import type { InlineConfig } from 'vite'

const ROOT = join(import.meta.dirname, '..')
const WEB = join(ROOT, 'web')

/** How the web interface is built: everything it needs is in the output, nothing is asked of another host. */
export function webConfig(outDir: string): InlineConfig {
  return {
    root: WEB,
    configFile: false,
    envDir: false,
    logLevel: 'warn',
    cacheDir: join(ROOT, '.cache/vite'),
    plugins: [
      vue(),
      ui({
        // It would inject a style element, which the content security policy of the manager refuses: see theme.css.
        colorMode: false,
        dts: false,
        // Where it keeps what it makes: below node_modules of the checkout, not among the sources.
        root: ROOT,
        autoImport: false,
        icon: {
          clientBundle: {
            scan: { globInclude: ['web/**/*.{vue,ts}'], globExclude: ['node_modules'] },
            sizeLimitKb: 64,
          },
        },
        ui: {
          colors: { primary: 'blue', neutral: 'slate' },
          // Paler than this under the pointer, their words could not be read.
          button: {
            slots: { base: 'cursor-pointer' },
            compoundVariants: [
              { color: 'primary', variant: 'solid', class: 'hover:bg-primary/90 active:bg-primary/90' },
              { color: 'error', variant: 'solid', class: 'hover:bg-error/90 active:bg-error/90' },
            ],
          },
        },
      }),
    ],
    build: {
      outDir,
      emptyOutDir: true,
      manifest: true,
      target: 'es2022',
      // Data addresses would need a looser policy, and cannot be kept by browsers.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
    },
  }
}
