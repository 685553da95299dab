FROM busybox
USER www-data
WORKDIR /srv/app
RUN touch mine
