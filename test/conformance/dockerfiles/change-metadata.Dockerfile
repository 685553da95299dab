FROM busybox
RUN mkdir -m 0755 /d && touch /d/f && echo data > /d/g
RUN chmod 2775 /d && chmod 4711 /d/f && chown 12:34 /d/g
RUN chown -R 1:33 /var/www && chmod 1777 /var/log
