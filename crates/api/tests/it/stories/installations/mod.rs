mod configure;
