import icons from '@nuxt/ui/runtime/vue/plugins/icons.js'
import { createApp } from 'vue'
import { startLive } from '#web/api/live.ts'
import App from './App.vue'
import { reloadWhenPagesAreMissing } from './reload.ts'
import { router } from './router.ts'
import './theme.css'

startLive()
reloadWhenPagesAreMissing(router)
createApp(App).use(router).use(icons).mount('#app')
