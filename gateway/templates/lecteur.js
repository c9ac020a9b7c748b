// Starts the viewer on this server's own description; nothing is fetched from elsewhere.
'use strict';

SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#lecteur',
  deepLinking: true,
  docExpansion: 'none',
  defaultModelsExpandDepth: -1,
  filter: true,
  displayRequestDuration: true,
  requestSnippetsEnabled: true,
  persistAuthorization: false,
  validatorUrl: null,
  syntaxHighlight: { activated: true },
});
