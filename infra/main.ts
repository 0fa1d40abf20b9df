/** What the CDK CLI runs (`cdk.json`). A file of its own: Node.js 23 to 24.1 have no `import.meta.main`, by which nothing would be written, and nothing said. */
import { buildApp } from './app.ts';

buildApp().synth();
