FROM busybox
RUN mkdir -p /d/e/f && touch /d/one /d/e/two /d/e/f/three
RUN rm /d/one /d/e/f/three /etc/group
RUN rm -r /d/e
