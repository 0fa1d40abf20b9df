/** `npm run openapi`. */
import { updateOpenApi } from './openapi-document.ts';

updateOpenApi();
